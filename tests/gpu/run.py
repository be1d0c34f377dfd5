"""Tests on a GPU: ``make test-gpu`` on a machine that has one, or ``python3 tests/gpu/run.py``.

It needs the checkout, a Python with PyTorch, and the wheels that ``make gpu-wheels`` has put into
``build/wheels``; no network. In an environment of its own, which sees that PyTorch, it runs the
tests marked ``gpu`` and writes ``build/gpu.json``: what ran, what came of it, and what it measured.

Exit codes: 0 all passed; 1 something failed; 2 the environment cannot be made; 3 there is no GPU.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["DONE", "FAILED", "NO_ENVIRONMENT", "NO_GPU", "download", "main"]

DONE, FAILED, NO_ENVIRONMENT, NO_GPU = range(4)
ROOT = Path(__file__).resolve().parents[2]
LISTED = Path(__file__).with_name("wheels.txt")
SECONDS = 290.0  # for everything
LAST_SECONDS = 90.0  # of these, for a test to come to its end
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
MOST_BYTES = 64 << 20  # of all wheels: they may have to be carried

# What PyTorch says of this machine; the first time that a device is asked for.
ASK = """
import json, torch
found = {"torch": torch.__version__, "cuda": torch.version.cuda, "devices": []}
for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
    has = torch.cuda.get_device_properties(number)
    found["devices"].append({"name": has.name, "memory_mb": has.total_memory >> 20})
print(json.dumps(found))
"""


class NoEnvironment(Exception):
    """The environment for the tests cannot be made; the text says what to do."""


@dataclass
class Report:
    """What is written to ``build/gpu.json``.

    Attributes:
        path: of the file.
        said: its content.
        began: when the run did, of `time.monotonic`.
    """

    path: Path
    said: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def write(self, code: int, outcome: str) -> int:
        """Write the report, say its outcome, and return the exit code."""
        seconds = round(time.monotonic() - self.began, 1)
        self.said |= {"exit_code": code, "outcome": outcome, "seconds": seconds}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.said, indent=1) + "\n", encoding="utf-8")
        print(outcome, file=sys.stderr if code else sys.stdout)
        return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests on a GPU, or download what they need; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the tests that need a GPU.")
    parser.add_argument("--download", action="store_true", help="fill build/wheels, and no more")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="default: build")
    options = parser.parse_args(arguments)
    wheels = options.build / "wheels"
    if options.download:
        return download(wheels)
    report = Report(options.build / "gpu.json", {"python": platform.python_version()})
    try:
        python = make_environment(options.build / "gpu-env", wheels)
        report.said |= ask(python)
    except NoEnvironment as error:
        return report.write(NO_ENVIRONMENT, f"no test ran: {error}")
    if not report.said["devices"]:
        built = "" if report.said["cuda"] else ", and its PyTorch is built for processors alone"
        return report.write(NO_GPU, f"no test ran: this machine has no GPU{built}")
    return run_tests(python, report)


def make_environment(folder: Path, wheels: Path) -> Path:
    """Return the Python of a fresh environment that has the wheels and sees what this one has.

    Args:
        folder: of the environment; what is there is replaced.
        wheels: a folder of them.

    Raises:
        NoEnvironment: it cannot be made.
    """
    if not any(wheels.glob("*.whl")):
        raise NoEnvironment(f"{wheels} has no wheels; run: make gpu-wheels")
    shutil.rmtree(folder, ignore_errors=True)
    _call([sys.executable, "-m", "venv", "--without-pip", str(folder)], "an environment")
    python = folder / "bin" / "python"
    (place,) = (folder / "lib").glob("python3.*/site-packages")
    # Ours come before those of the outer environment, of which no new one is a part otherwise.
    (place / "outer.pth").write_text("".join(f"{path}\n" for path in outer_packages()))
    own = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (place / "checkout.pth").write_text(f"{ROOT}\n")
    info = place / f"{own['name'].replace('-', '_')}-{own['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {own['name']}\nVersion: {own['version']}\n"
    )
    names = [line for line in LISTED.read_text().splitlines() if line and line[0] != "#"]
    command = [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet"]
    command += ["--disable-pip-version-check", "--no-index", f"--find-links={wheels}", *names]
    _call(command, f"the wheels of {wheels} in Python {platform.python_version()}")
    return python


def outer_packages() -> list[str]:
    """Return the folders of packages that this Python sees."""
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path]
    named = [path for path in paths if Path(path).name in ("site-packages", "dist-packages")]
    return list(dict.fromkeys(named))


def ask(python: Path) -> dict[str, Any]:
    """Return what PyTorch says of this machine.

    Raises:
        NoEnvironment: it cannot be imported.
    """
    found: dict[str, Any] = json.loads(_call([str(python), "-c", ASK], "this machine's PyTorch"))
    return found


def own_environment() -> dict[str, str]:
    """Return our environment without what changes where Python looks, and pytest's other plugins.

    The outer environment may have any: they would be loaded.
    """
    found = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    return found | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _call(command: Sequence[str], what: str) -> str:
    """Return what a command prints."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=own_environment(), timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoEnvironment(f"{what} cannot be had: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NoEnvironment(f"{what} cannot be had: {said[-1] if said else 'it says nothing'}")
    return done.stdout


def run_tests(python: Path, report: Report) -> int:
    """Run the tests marked ``gpu`` and report on them."""
    results = report.path.with_name("gpu-tests.xml")
    results.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider"]
    left = SECONDS - (time.monotonic() - report.began)
    command += [f"--junitxml={results}", "-rfE", "-p", "pytest_timeout"]
    command += [f"--session-timeout={left - LAST_SECONDS:.0f}"]  # what ran by then is reported
    # Warnings of another PyTorch than ours are no failures.
    command += ["-o", "addopts=--import-mode=importlib", "-o", "filterwarnings=default"]
    late = ""
    with Peak() as peak:
        try:
            command += map(str, marked_files())
            subprocess.run(command, cwd=ROOT, env=own_environment(), timeout=left, check=False)
        except subprocess.TimeoutExpired:
            late = f"; stopped after {SECONDS:g} s"
    report.said |= {"peak_memory_mb": peak.most, "tests": list(told(results))}
    counts = {
        outcome: sum(test["outcome"] == outcome for test in report.said["tests"])
        for outcome in ("passed", "failed", "skipped")
    }
    good = counts["passed"] and not counts["failed"] and not late
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    device = report.said["devices"][0]["name"]
    return report.write(DONE if good else FAILED, f"tests on {device}: {words}{late}")


def marked_files() -> list[Path]:
    """Return the files with a test that needs a GPU: no other need be imported."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [path for path in files if "pytest.mark.gpu" in path.read_text(encoding="utf-8")]


def told(results: Path) -> Iterator[dict[str, Any]]:
    """Yield what pytest's report says of each test; nothing where there is none."""
    if not results.exists():
        return
    for case in ET.parse(results).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "passed"
        outcome = "skipped" if "skipped" in kinds else outcome
        found = {
            "name": case.get("name"),
            "outcome": outcome,
            "seconds": float(case.get("time", 0)),
        }
        figures = {one.get("name"): one.get("value") for one in case.iter("property")}
        why = [child.get("message", "")[:500] for child in case if child.tag != "properties"]
        yield found | ({"figures": figures} if figures else {}) | ({"why": why[0]} if why else {})


class Peak:
    """The most memory of a GPU that is in use while the block runs, in MB; None if nobody says."""

    def __init__(self) -> None:
        self.most: int | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(15)

    def _look(self) -> None:
        command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while not self._end.wait(0.5):
            try:
                said = subprocess.run(
                    command, capture_output=True, text=True, timeout=10, check=True
                ).stdout
                self.most = max(self.most or 0, *map(int, said.split()))
            except (OSError, ValueError, subprocess.SubprocessError):
                return


def download(wheels: Path) -> int:
    """Fill a folder with the wheels for every Python that we promise; return the exit code."""
    shutil.rmtree(wheels, ignore_errors=True)
    machine = os.environ.get("GPU_MACHINE", "x86_64")
    for version in PYTHONS:
        command = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={wheels}"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--implementation=cp"]
        command += [f"--python-version={version}", f"--constraint={ROOT / 'constraints.txt'}"]
        command += [f"--platform={one}_{machine}" for one in PLATFORMS]
        if subprocess.run([*command, f"--requirement={LISTED}"], check=False).returncode:
            print(f"the wheels for Python {version} cannot be downloaded", file=sys.stderr)
            return NO_ENVIRONMENT
    found = list(wheels.glob("*.whl"))
    size = sum(path.stat().st_size for path in found)
    print(f"{len(found)} wheels in {wheels}, {size / 2**20:.1f} MB")
    if size > MOST_BYTES:
        print(f"that is more than {MOST_BYTES >> 20} MB", file=sys.stderr)
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
