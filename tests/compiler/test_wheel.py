import ast
import os
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest

from autograder.compiler.wheel import own_files, wheel


@pytest.fixture(scope="module")
def archive():
    with zipfile.ZipFile(BytesIO(wheel()[1])) as archive:
        yield archive


def test_it_installs_without_its_dependencies_and_imports(tmp_path):
    name, data = wheel()
    (tmp_path / name).write_bytes(data)
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run(
        [*pip, "--quiet", "--disable-pip-version-check", "--target", target, tmp_path / name],
        check=True,
    )
    run = subprocess.run(
        [sys.executable, "-c", "import autograder; print(autograder.__file__)"],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == str(target / "autograder" / "__init__.py")


def test_it_holds_the_packages_own_files_and_no_caches(archive):
    names = archive.namelist()
    assert "autograder/errors.py" in names
    assert "autograder/py.typed" in names
    assert any(name.endswith(".html") for name in names)
    assert not any("__pycache__" in name or name.startswith("reference") for name in names)


def test_it_leaves_out_the_operators_tools(archive):
    """Attacks and a benchmark's answers are none of a student's business."""
    names = archive.namelist()
    assert "autograder/commands/operating.py" in names
    assert [n for n in names if n.startswith(("autograder/redteam", "autograder/bench"))] == []
    assert not any("specimen" in name or "submissions" in name for name in names)


def test_it_leaves_out_what_makes_and_proves_assignments_and_nothing_else_asks_for_that(archive):
    """A student's installation is smaller by a quarter, and nothing in it is missing."""
    names = ("adopting", "audit", "compiler", "foreign", "nbgrader_hooks")
    left_out = tuple(f"autograder.{name}" for name in names)
    folders = tuple(name.replace(".", "/") for name in left_out)
    asking = set()
    for name in archive.namelist():
        assert not name.startswith(folders), name
        if name.endswith(".py"):
            tree = ast.parse(archive.read(name))
            found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            if any((node.module or "").startswith(left_out) for node in found):
                asking.add(name)
    commands = ("adopting", "authoring", "grading", "nbgrader")
    assert asking == {f"autograder/commands/{name}.py" for name in commands}


def test_a_command_that_it_leaves_out_says_what_to_install(archive, tmp_path):
    archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "redteam", "--list"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == (
        "autograder: autograder.redteam is missing; run make setup, or: "
        "python -m pip install 'notebook-autograder[grade]'\n"
    )


def test_its_record_lists_every_file(archive):
    record = archive.read("notebook_autograder-0.1.0.dist-info/RECORD").decode()
    assert [row.partition(",")[0] for row in record.splitlines()] == archive.namelist()


def test_its_metadata_is_that_of_the_installed_package(archive):
    info = "notebook_autograder-0.1.0.dist-info"
    assert b"Name: notebook-autograder" in archive.read(f"{info}/METADATA")
    assert b"autograder.cli:main" in archive.read(f"{info}/entry_points.txt")
    assert b"Tag: py3-none-any" in archive.read(f"{info}/WHEEL")


def test_it_carries_no_readme_whose_tour_holds_a_solution(archive):
    metadata = archive.read("notebook_autograder-0.1.0.dist-info/METADATA").decode()
    headers, _, description = metadata.partition("\n\n")
    assert "Requires-Dist: numpy" in headers
    assert "Description" not in headers
    assert description.strip() == ""


def test_it_says_nothing_of_when_and_where_it_was_made(archive):
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert wheel() == wheel()
    paths = [path for path, _ in own_files()]
    assert not any(path.startswith("/") for path in paths)
