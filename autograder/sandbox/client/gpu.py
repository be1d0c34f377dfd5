"""GPUs as the grader knows them: which there are, whether they answer, what is free of them.

Everything is asked of ``nvidia-smi``, a program that is given up when it does not answer: nothing
here loads the driver into a process of ours, where a lost device would hang it.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from autograder.errors import DeviceLost, UsageError
from autograder.sandbox.client.overuse import CONTEXT_MB
from autograder.sandbox.isolation.box import driver_folders
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import TRIAL, Gpu

__all__ = [
    "DRIVER_SECONDS",
    "device_here",
    "environment_on",
    "gpus_for",
    "gpus_here",
    "has_room",
    "require_free",
    "sessions_on",
    "torch_can_use_gpus",
]

DRIVER_SECONDS = 30.0  # for the driver to end a process of which a kernel is running, or to answer
FREE_SECONDS = 10.0  # for memory to be free again
SLACK_MB = 512  # that the driver may keep
ASK_AGAIN = 0.1  # seconds
VISIBLE = "CUDA_VISIBLE_DEVICES"
PROC = Path("/proc/driver/nvidia/gpus")


def gpus_here() -> tuple[Gpu, ...]:
    """Return the GPUs that this process may use, without waking one.

    `CUDA_VISIBLE_DEVICES` says which, if it is set.

    Raises:
        DeviceLost: the driver does not answer.
    """
    smi = shutil.which("nvidia-smi") or ""
    if smi:
        text = _ask(smi, "--query-gpu=uuid,name,memory.total,memory.used")
        found = [_told(line, smi) for line in text.splitlines() if line.strip()]
    else:
        found = list(_known_to_the_kernel())
    return tuple(_visible(found))


def gpus_for(device: str) -> tuple[Gpu, ...]:
    """Return the GPUs of a run on a device: none on ``cpu``.

    Raises:
        UsageError: it is ``cuda``, and there is none, or PyTorch is built without CUDA.
        DeviceLost: the driver does not answer.
    """
    if device != "cuda":
        return ()
    if not (found := gpus_here()):
        raise UsageError("--device cuda: this machine has no GPU")
    if not torch_can_use_gpus():
        raise UsageError(
            "--device cuda: the PyTorch that is installed here is built for processors alone; "
            "install one with CUDA"
        )
    return found


def device_here() -> str:
    """Return ``cuda`` where this machine has a GPU that PyTorch can use, else ``cpu``.

    Raises:
        DeviceLost: there is one, and its driver does not answer.
    """
    try:
        return "cuda" if torch_can_use_gpus() and gpus_here() else "cpu"
    except DeviceLost:
        if any(Path("/dev").glob("nvidia[0-9]*")):
            raise
        return "cpu"  # the program came with something else


def torch_can_use_gpus() -> bool:
    """Return whether the PyTorch that is installed here is built for NVIDIA's GPUs."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    with suppress(OSError):
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
        return re.search(r"^cuda\b[^=]*= *[\"']", text, re.MULTILINE) is not None
    return False


def sessions_on(gpu: Gpu, limits: Limits) -> int:
    """Return how many sessions may use a GPU at a time: no more than it has memory for.

    Beside each there may be the grader, whose checks compute there, too.
    """
    room = (gpu.memory_mb - gpu.used_mb) // (limits.gpu_memory_mb + 2 * CONTEXT_MB)
    return max(1, min(limits.gpu_sessions, room))


def require_free(gpu: Gpu, limits: Limits) -> None:
    """Wait until a GPU has the memory for one more session, as far as it ever had.

    Raises:
        DeviceLost: it does not answer, or what a session had is not free again.
    """
    if not gpu.smi:
        return
    most = gpu.memory_mb - gpu.used_mb - CONTEXT_MB  # beside the grader
    wanted = min(limits.gpu_memory_mb + CONTEXT_MB, most) - SLACK_MB
    until = time.monotonic() + FREE_SECONDS
    while (free := gpu.memory_mb - _used(gpu)) < wanted:
        if time.monotonic() > until:
            said = f"only {free} MB of its memory are free, and a session needs {wanted}"
            raise DeviceLost(gpu.called, said)
        time.sleep(ASK_AGAIN)


def has_room(gpu: Gpu, limits: Limits, own_mb: int) -> bool:
    """Return whether a session may have its share of a GPU's memory, as far as its driver says.

    Args:
        gpu: which.
        limits: of the session.
        own_mb: what the session itself has of it now.
    """
    try:
        free = gpu.memory_mb - _used(gpu) if gpu.smi else gpu.memory_mb
    except DeviceLost:  # whoever looks at the device behind the submission says so
        return True
    return free + own_mb >= limits.gpu_memory_mb + CONTEXT_MB


def environment_on(gpu: Gpu | None) -> dict[str, str]:
    """Return what a fork server whose sessions use a GPU has in its environment.

    `torch.cuda.is_available` asks the driver's library for tables and not for a device: a notebook
    that only asks can be forked.
    """
    found = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
    if gpu is not None:
        found[VISIBLE] = gpu.id
    if folders := driver_folders():
        found["LD_LIBRARY_PATH"] = ":".join(folders)
    return found


def _used(gpu: Gpu) -> int:
    text = _ask(gpu.smi, "--query-gpu=memory.used", f"--id={gpu.id}", called=gpu.called)
    try:
        return int(text.strip())
    except ValueError:
        raise DeviceLost(gpu.called, f"its driver says {text.strip()[:200]!r}") from None


def _ask(smi: str, *query: str, called: str = "every GPU") -> str:
    """Return what the driver's program says.

    Raises:
        DeviceLost: it says that something is wrong, or nothing.
    """
    command = [smi, *query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DRIVER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DeviceLost(called, f"its driver did not answer in {DRIVER_SECONDS:g} s") from None
    except OSError as error:
        raise DeviceLost(called, f"{smi} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
        raise DeviceLost(called, f"its driver says {said[:300]!r}")
    return done.stdout


def _told(line: str, smi: str) -> Gpu:
    """Return the GPU of a line of the driver's table."""
    fields = [field.strip() for field in line.split(",")]
    try:
        uuid, name, total, used = fields
        return Gpu(uuid, name, int(total), int(used), _node_of(uuid), smi, TRIAL)
    except ValueError:
        raise DeviceLost("every GPU", f"its driver says {line.strip()[:200]!r}") from None


def _known_to_the_kernel() -> Iterator[Gpu]:
    """Yield the GPUs of which the driver's files tell, where there is no nvidia-smi."""
    for uuid, fields in _files().items():
        yield Gpu(uuid, fields.get("Model", "a GPU"), 1 << 20, 0, _node_of(uuid), "", TRIAL)


def _node_of(uuid: str) -> str:
    """Return the file by which a GPU is reached; "" where nobody says."""
    minor = _files().get(uuid, {}).get("Device Minor", "")
    return f"/dev/nvidia{minor}" if minor.isdigit() else ""


def _files() -> dict[str, dict[str, str]]:
    """Return what the driver's files say of each GPU, by its UUID."""
    found = {}
    for path in sorted(PROC.glob("*/information")):
        with suppress(OSError):
            lines = (line.partition(":") for line in path.read_text().splitlines())
            fields = {key.strip(): value.strip() for key, _, value in lines}
            found[fields.get("GPU UUID", "")] = fields
    found.pop("", None)
    return found


def _visible(found: Iterable[Gpu]) -> Iterator[Gpu]:
    """Yield those that whoever started us lets us use, in that order."""
    there = list(found)
    said = os.environ.get(VISIBLE)
    if said is None:
        yield from there
        return
    for name in filter(None, (one.strip() for one in said.split(","))):
        if name.isdigit() and int(name) < len(there):
            yield there[int(name)]
        else:
            yield from (gpu for gpu in there if gpu.id.startswith(name))
