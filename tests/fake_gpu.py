"""A fake GPU: what its driver says, in a file that a test writes; nothing of it is in the package.

The driver's side is a program in the place of ``nvidia-smi``. PyTorch's side is what a notebook of
the test puts in the place of ``torch.cuda``: that it is woken, that a kernel broke it, that it has
no more memory.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.sandbox.client import gpu
from autograder.sandbox.protocol.settings import Gpu

# Reads the state beside itself and answers as nvidia-smi does. It imports nothing that Python has
# not built in: a run asks at each submission, and Python with json takes three times as long.
PROGRAM = """#!{python} -IS
import sys, time
here = sys.argv[0].rpartition("/")[0]
def state():
    with open(here + "/state") as file:
        return eval(file.read())
with open(here + "/asked", "a+") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
    log.seek(0)
    count = sum("--query-gpu" in line for line in log)
words = dict(arg.lstrip("-").split("=", 1) for arg in sys.argv[1:] if "=" in arg)
if "query-compute-apps" in words:  # again and again, as with -lms
    while True:
        for pid, used in state()["processes"].items():
            print(f"{{pid}}, {{used}}", flush=True)
        time.sleep(0.05)
now = state()
time.sleep(now["seconds"])
for card in now["cards"]:
    if words.get("id", card["uuid"]) != card["uuid"]:
        continue
    if card["lost"] or count in now["lost_at"]:
        print(f"Unable to determine the device handle: {{card['uuid']}} is lost")
        sys.exit(15)
    fields = {{"uuid": card["uuid"], "name": "Fake", "memory.total": card["total"],
              "memory.used": card["used"]}}
    print(", ".join(str(fields[key]) for key in words["query-gpu"].split(",")))
"""

# Cells that put a woken device in the place of PyTorch's, without one: below the functions of
# torch.cuda, which a session has taken before the notebook runs.
WOKEN = """
import contextlib, torch
cuda = torch.cuda
cuda.device = contextlib.nullcontext
torch._C._cuda_synchronize = lambda: None
cuda._initialized = True
"""
# What PyTorch says from the first illegal access on.
BREAK = """
def break_it(*_):
    raise RuntimeError("CUDA error: an illegal memory access was encountered")
"""
COMPUTES = "answer = 2.0**24"


@dataclass
class FakeDriver:
    """The driver of some cards.

    Attributes:
        folder: with the program and its state.
    """

    folder: Path

    @property
    def program(self) -> str:
        """The program in the place of ``nvidia-smi``."""
        return str(self.folder / "nvidia-smi")

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """The cards, as a run is given them."""
        cards = self._state()["cards"]
        return tuple(
            Gpu(c["uuid"], "Fake", c["total"], c["used"], "", self.program, self.trial)
            for c in cards
        )

    trial: str = COMPUTES

    def set(self, card: int | None = None, **values: object) -> None:
        """Change what is said of a card, or of all."""
        state = self._state()
        (state if card is None else state["cards"][card]).update(values)
        new = self.folder / "new"
        new.write_text(repr(state))
        new.rename(self.folder / "state")

    def asked(self) -> list[str]:
        """Return what was asked of the cards so far."""
        log = self.folder / "asked"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if "--query-gpu" in line]

    def _state(self) -> dict:
        return ast.literal_eval((self.folder / "state").read_text())


def install(folder: Path, cards: int = 1) -> FakeDriver:
    """Put a driver of some cards into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    found = [
        {"uuid": f"GPU-{number:08d}", "total": 40_000, "used": 3, "lost": False}
        for number in range(cards)
    ]
    state = {"cards": found, "processes": {}, "seconds": 0.0, "lost_at": []}
    (folder / "state").write_text(repr(state))
    return FakeDriver(folder)


@pytest.fixture
def fake_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """One card, which this process finds, and which computes."""
    driver = install(tmp_path / "driver")
    monkeypatch.setenv("PATH", str(driver.folder), prepend=":")
    monkeypatch.delenv(gpu.VISIBLE, raising=False)
    monkeypatch.setattr(gpu, "TRIAL", COMPUTES)
    return driver


@pytest.fixture
def built_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch as if it were built for GPUs."""
    monkeypatch.setattr(gpu, "torch_can_use_gpus", lambda: True)
