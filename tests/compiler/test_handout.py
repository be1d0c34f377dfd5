"""What a release carries beside its notebook, and the cell in front of it."""

import ast
import re
import subprocess
import sys
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from autograder.artefacts.manifest import Manifest
from autograder.artefacts.release import FIRST_CELL
from autograder.compiler.handout import TORCH_FILE, companions, first_cell
from autograder.version import own_version

VERSION = own_version()
WHEEL = f"notebook_autograder-{VERSION}-py3-none-any.whl"
VERSIONS = {"python": "3.11", "numpy": "2.4.6", "torch": "2.13.0+cpu", "autograder": VERSION}
DATA = ["data/deep/a.bin", "data/b.csv"]


def manifest(*preload):
    return Manifest("hw", "Small nets", VERSION, (), preload, {}, VERSIONS)


def lines(*preload):
    files = companions(manifest(*preload), [])
    found = [files.get(f"requirements{part}.txt", b"") for part in ("", "-torch")]
    return b"".join(found).decode().splitlines()


def requirements(*preload):
    found = [line for line in lines(*preload) if line[0] not in "#.-"]
    return [Requirement(line) for line in found]


def chosen(preload, system, machine):
    """Return what a student on such a machine installs."""
    marker = {"sys_platform": system, "platform_machine": machine}
    found = [r for r in requirements(*preload) if r.marker is None or r.marker.evaluate(marker)]
    return {r.name: str(r.specifier) for r in found}


def test_the_wheel_in_the_folder_is_required_and_there():
    assert f"./{WHEEL}" in lines("numpy")
    assert WHEEL in companions(manifest("numpy"), [])


@pytest.mark.parametrize(
    ("system", "machine"),
    [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")],
)
def test_what_computes_has_the_graders_version(system, machine):
    found = chosen(["numpy", "torch", "matplotlib"], system, machine)
    assert found["numpy"] == "==2.4.6"
    assert found["torch"] == "==2.13.0"
    assert found["matplotlib"].startswith(">=")


def test_a_mac_for_which_pytorch_is_no_longer_built_gets_the_last_one():
    found = chosen(["numpy", "torch"], "darwin", "x86_64")
    assert found["torch"] == ">=2.2"
    assert set(found["numpy"].split(",")) == {">=1.26", "<2"}


def test_pytorch_comes_without_cuda_and_only_where_it_is_used():
    files = companions(manifest("numpy", "torch"), [])
    assert b"--extra-index-url https://download.pytorch.org/whl/cpu\ntorch" in files[TORCH_FILE]
    assert b"requirements-torch.txt" in files["README.md"]
    # pip would ask that index for every other package, too.
    assert b"torch" not in files["requirements.txt"].partition(b"./")[2]
    assert not [line for line in lines("numpy") if "torch" in line]
    assert b"torch" not in companions(manifest("numpy"), [])["README.md"]


def test_the_instructions_name_every_system_every_file_and_the_graders_versions():
    files = companions(manifest("numpy", "torch"), DATA)
    text = files["README.md"].decode()
    for word in ("Linux", "macOS", "Windows", "VS Code", "Colab", "GPU", WHEEL, "recording.json"):
        assert word in text
    assert text.startswith("# Small nets\n")
    assert "Python 3.11, numpy 2.4.6, torch 2.13.0." in text
    assert "`data/`" in text
    assert not re.search(r"[{}]", text)


def test_the_instructions_hold_where_nbgrader_left_the_wheel_in_the_exchange():
    text = companions(manifest("numpy"), DATA)["README.md"].decode()
    assert "nbgrader fetches all but the package" in text
    assert "python -m pip install -r requirements.txt" in text
    assert "    %pip install -r requirements.txt" in first_cell(manifest("numpy"), DATA)


def test_a_title_with_braces_is_a_title():
    odd = Manifest("hw", r"Nets of $\{0, 1\}^n$", VERSION, (), (), {}, VERSIONS)
    assert companions(odd, [])["README.md"].decode().startswith("# Nets of $\\{0, 1\\}^n$\n")


def run_first_cell(monkeypatch, tmp_path, files=DATA):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTOGRADER_GRADING", raising=False)
    names = {}
    exec(first_cell(manifest("numpy"), files), names)
    return {name for name in names if not name.startswith("_")}


def test_the_first_cell_leaves_no_name_behind_that_an_answer_could_use(monkeypatch, tmp_path):
    assert run_first_cell(monkeypatch, tmp_path) == set()


def test_the_first_cell_says_which_files_are_missing(monkeypatch, tmp_path, capsys):
    (tmp_path / "recording.json").write_text("{}")
    run_first_cell(monkeypatch, tmp_path)
    said = capsys.readouterr().out
    assert f"Not in this notebook's folder ({tmp_path}): data. " in said


@pytest.mark.parametrize("found", ["another package", "nothing", "a broken package"])
def test_without_the_right_package_the_first_cell_says_what_to_install(
    monkeypatch, tmp_path, found
):
    for name in [n for n in sys.modules if n.split(".")[0] == "autograder"]:
        monkeypatch.delitem(sys.modules, name)
    if found == "nothing":
        monkeypatch.setitem(sys.modules, "autograder", None)
    elif found == "another package":
        monkeypatch.setitem(sys.modules, "autograder", ModuleType("autograder"))
    else:
        (tmp_path / "autograder.py").write_text("1 / 0\n")
        monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError) as error:
        run_first_cell(monkeypatch, tmp_path)
    text = str(error.value)
    assert f"needs notebook-autograder {VERSION}, which is not installed here" in text
    assert f"\n    %pip install ./{WHEEL}\n" in text
    assert "Colab" in text
    assert error.value.__suppress_context__


def test_the_first_cell_is_short_python_of_no_new_kind():
    text = first_cell(manifest("numpy", "torch"), DATA)
    ast.parse(text, feature_version=(3, 8))
    assert max(map(len, text.splitlines())) <= 110


def test_the_first_cell_is_a_locked_given_cell_of_the_release_alone(workshop):
    compiled = workshop.compile()
    first = compiled.notebook["cells"][0]
    marks = first["metadata"]["nbgrader"]
    assert (marks["grade_id"], marks["locked"], marks["grade"]) == (FIRST_CELL, True, False)
    assert first["metadata"]["editable"] is first["metadata"]["deletable"] is False
    assert FIRST_CELL not in compiled.solution


def test_no_question_takes_the_name_of_the_first_cell(workshop):
    from autograder.errors import SourceError

    with pytest.raises(SourceError, match=r"belongs to the first cell of every release"):
        workshop.compile(
            f'# %%\n@check("double", points=1)\n@case("one")\ndef {FIRST_CELL}'
            '(student, reference, rng):\n    """Says."""\n    assert rng.normal() < 99\n'
        )


def test_pip_understands_the_requirements(tmp_path):
    for name, data in companions(manifest("numpy", "torch"), []).items():
        (tmp_path / name).write_bytes(data)
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--ignore-installed", "--disable-pip-version-check", f"./{WHEEL}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"Would install notebook-autograder-{VERSION}" in done.stdout
