"""The script that runs the tests on a GPU, without one: it says what came of it, always."""

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

FILE = Path(__file__).with_name("run.py")
spec = importlib.util.spec_from_file_location("gpu_run", FILE)
run = importlib.util.module_from_spec(spec)
sys.modules["gpu_run"] = run
spec.loader.exec_module(run)

DEVICE = {"torch": "2.11.0", "cuda": "13.0", "devices": [{"name": "Fake", "memory_mb": 100}]}
CASE = '<testcase name="{0}" time="1.5">{1}</testcase>'


def report_of(build):
    return json.loads((build / "gpu.json").read_text())


@pytest.fixture
def finds(tmp_path, monkeypatch):
    """Return a function that runs the script where PyTorch says this, and pytest finds that."""

    def finds(said, cases=(), error=None):
        def pytest_run(command, **options):
            if error is not None:
                raise error
            (results,) = (a.partition("=")[2] for a in command if a.startswith("--junitxml="))
            Path(results).write_text(f"<testsuites><s>{''.join(cases)}</s></testsuites>")

        monkeypatch.setattr(run, "make_environment", lambda *_: Path(sys.executable))
        monkeypatch.setattr(run, "ask", lambda _: dict(said))
        monkeypatch.setattr(run, "Peak", FakePeak)
        with monkeypatch.context() as patch:
            patch.setattr(run.subprocess, "run", pytest_run)
            code = run.main(["--build", str(tmp_path)])
        return code, report_of(tmp_path)

    return finds


class FakePeak:
    most = 4321

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_without_wheels_it_says_what_to_do(tmp_path, capsys):
    assert run.main(["--build", str(tmp_path)]) == run.NO_ENVIRONMENT
    assert "run: make gpu-wheels" in capsys.readouterr().err
    assert report_of(tmp_path)["outcome"].startswith("no test ran: ")


@pytest.mark.parametrize(
    ("cuda", "words"), [("13.0", "has no GPU"), (None, "is built for processors alone")]
)
def test_without_a_gpu_it_says_so_and_ends_with_a_code_of_its_own(finds, capsys, cuda, words):
    code, report = finds({"torch": "2.13.0", "cuda": cuda, "devices": []})
    assert (code, report["exit_code"]) == (run.NO_GPU, 3)
    assert capsys.readouterr().err == f"{report['outcome']}\n"
    assert report["outcome"].endswith(words)
    assert report["torch"] == "2.13.0"


def test_what_ran_and_what_it_measured_is_in_the_report(finds):
    figures = '<properties><property name="context_mb" value="500"/></properties>'
    skipped = '<skipped message="no nvidia-smi"/>'
    code, report = finds(DEVICE, [CASE.format("a", figures), CASE.format("b", skipped)])
    assert (code, report["exit_code"]) == (run.DONE, 0)
    assert report["outcome"] == "tests on Fake: 1 passed, 0 failed, 1 skipped"
    one, other = report["tests"]
    assert (one["outcome"], one["figures"]) == ("passed", {"context_mb": "500"})
    assert (other["outcome"], other["why"]) == ("skipped", "no nvidia-smi")
    assert (one["seconds"], report["peak_memory_mb"]) == (1.5, 4321)
    assert report["devices"] == DEVICE["devices"]


@pytest.mark.parametrize("kind", ["failure", "error"])
def test_a_test_that_fails_fails_the_run(finds, kind):
    bad = f'<{kind} message="it broke"/>'
    code, report = finds(DEVICE, [CASE.format("a", ""), CASE.format("b", bad)])
    assert code == run.FAILED
    assert report["tests"][1]["why"] == "it broke"


def test_a_run_in_which_nothing_passed_or_that_took_too_long_has_failed(finds):
    code, report = finds(DEVICE, [CASE.format("a", "<skipped/>")])
    assert (code, report["exit_code"]) == (run.FAILED, 1)
    code, report = finds(DEVICE, error=subprocess.TimeoutExpired("pytest", 1))
    assert code == run.FAILED
    assert report["outcome"].endswith("stopped after 290 s")
    assert report["tests"] == []


def test_only_files_with_such_tests_are_run():
    files = run.marked_files()
    assert FILE.with_name("test_on_device.py") in files
    assert all(path.name.startswith("test_") for path in files)
    assert FILE.parents[1] / "test_structure.py" not in files


@pytest.mark.timeout(300)
def test_the_environment_sees_this_one_s_packages_the_wheels_and_the_checkout(
    tmp_path, monkeypatch
):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    info = "carried-1.0.dist-info"
    with zipfile.ZipFile(wheels / "carried-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carried.py", "answer = 42")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carried\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", f"carried.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    listed = tmp_path / "wheels.txt"
    listed.write_text("# a note\ncarried\n")
    monkeypatch.setattr(run, "LISTED", listed)
    python = run.make_environment(tmp_path / "env", wheels)
    program = (
        "import carried, numpy, autograder, autograder.version as v, json, pathlib\n"
        "print(json.dumps([carried.answer, v.own_version(), autograder.__file__]))"
    )
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=True)
    answer, version, file = json.loads(done.stdout)
    assert (answer, Path(file).parents[1]) == (42, run.ROOT)
    assert f'version = "{version}"' in (run.ROOT / "pyproject.toml").read_text()
    listed.write_text("not_carried\n")
    with pytest.raises(run.NoEnvironment, match=r"cannot be had: .*not_carried"):
        run.make_environment(tmp_path / "env", wheels)


def test_wheels_are_downloaded_for_every_python_that_is_promised(tmp_path, monkeypatch):
    promised = re.findall(r"Python :: (3\.\d+)", (run.ROOT / "pyproject.toml").read_text())
    assert promised == list(run.PYTHONS)
    asked, wheels = [], tmp_path / "wheels"

    def pip(command, check):
        asked.append(command)
        wheels.mkdir(exist_ok=True)
        (wheels / f"{len(asked)}.whl").write_bytes(b"x")
        return SimpleNamespace(returncode=int(len(asked) > 5))

    monkeypatch.setattr(run.subprocess, "run", pip)
    assert run.main(["--download", "--build", str(tmp_path)]) == run.DONE
    versions = [a.partition("=")[2] for c in asked for a in c if a.startswith("--python-version")]
    assert versions == promised
    monkeypatch.setattr(run, "MOST_BYTES", 3)
    asked.clear()
    assert run.main(["--download", "--build", str(tmp_path)]) == run.FAILED
    assert run.main(["--download", "--build", str(tmp_path)]) == run.NO_ENVIRONMENT


def test_the_wheels_that_are_listed_have_a_version():
    names = [n for n in run.LISTED.read_text().splitlines() if n and n[0] != "#"]
    pinned = (run.ROOT / "constraints.txt").read_text().lower()
    assert names
    assert all(f"\n{name}==" in pinned for name in names)


def test_the_peak_is_the_most_that_was_seen(monkeypatch):
    said = iter(["10\n", "300\n20\n", "5\n"])

    def smi(*_, **__):
        try:
            return SimpleNamespace(stdout=next(said))
        except StopIteration:
            raise OSError from None

    monkeypatch.setattr(run.subprocess, "run", smi)
    peak = run.Peak()
    peak._end = SimpleNamespace(wait=lambda _: False)
    peak._look()
    assert peak.most == 300
