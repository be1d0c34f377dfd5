"""The pages that a newcomer follows: what they say to type is typed here, block by block."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.artefacts.release import put_in_place
from autograder.compiler.build import build
from autograder.course import find_course
from tests.warm.commands import warm

__all__ = ["ROOT", "Said", "run_blocks", "shell_blocks", "warm"]

ROOT = Path(__file__).resolve().parents[1]
README, INSTRUCTORS = "README.md", "docs/instructors.md"
# Blocks that are not run whole, by their first command, and why; make says what it would do.
DRY = {
    "make grade": "it installs an environment and compiles a course, and tests run in both",
    "make setup TORCH=cpu": "it installs an environment, and tests run in one",
}
pytestmark = pytest.mark.timeout(600)  # two audits and a class, on a machine that tests keep busy
REFUSED = "autograder compile tour"  # in step 3 of the tour, which hides no case


class Said(NamedTuple):
    """What a block printed, and which of its commands failed."""

    text: str
    failed: list[str]


def shell_blocks(page):
    """Return the fenced blocks of a page that are for a shell: they name no other language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for language, block in found if language in ("", "sh", "bash", "shell")]


def first_command(block):
    return block.partition("\n")[0].partition("#")[0].strip()


def dry(block):
    """Return a block of make's in which make only says what it would do."""
    return re.sub(r"^make\b", "make --dry-run", block, flags=re.MULTILINE)


def run_blocks(root, blocks, environment=None):
    """Type the blocks into one shell, one after another; return what became of each."""
    script = "trap 'echo \"failed> $BASH_COMMAND\"' ERR\n"
    for number, block in enumerate(blocks):
        script += f'echo "block> {number}"\n'
        script += dry(block) if first_command(block) in DRY else block
    file = root.with_name(f"{root.name}.sh")
    file.write_text(script)
    done = subprocess.run(
        ["bash", str(file)],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    parts = re.split(r"^block> \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    failed = [re.findall(r"^failed> (.*)$", part, re.MULTILINE) for part in parts]
    return [Said(*pair) for pair in zip(parts, failed, strict=True)]


@pytest.fixture
def copy(tmp_path_factory, warm):
    """A copy of the course with an environment like this, in which nothing is compiled."""
    return copy_course(tmp_path_factory.mktemp("copy") / "course", warm)


def copy_course(root, warm):
    root.mkdir()
    environment = Path(sys.prefix)
    if not (environment / "bin" / "activate").is_file():
        pytest.skip("the tests run in no virtual environment, and the README activates one")
    programs = root / ".venv" / "bin"
    programs.mkdir(parents=True)
    activate = (environment / "bin" / "activate").read_text()
    assert str(environment) in activate
    (programs / "activate").write_text(activate.replace(str(environment), str(root / ".venv")))
    (programs / "autograder").symlink_to(warm / "autograder")
    for name in ("assignments", "reference"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("course.toml", "Makefile", "pyproject.toml", "constraints.txt", README):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture(scope="module")
def course(tmp_path_factory, warm):
    """A copy of the course in which one assignment is compiled, though not audited."""
    root = copy_course(tmp_path_factory.mktemp("tour") / "course", warm)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        here = find_course()
        put_in_place(build(here, "hw1_optimizers"), here)
    return root


@pytest.fixture(scope="module")
def files_before(course):
    return files(course)


@pytest.fixture(scope="module")
def tour(course, files_before):
    """What became of each block of the README, by its first command."""
    blocks = shell_blocks(README)
    return dict(zip(map(first_command, blocks), run_blocks(course, blocks), strict=True))


def files(root):
    found = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    return {path for path in found if not path.startswith(".venv") and "__pycache__" not in path}


def test_every_block_is_run_or_make_says_what_it_would_do_and_why_is_said():
    firsts = [first_command(b) for page in (README, INSTRUCTORS) for b in shell_blocks(page)]
    assert len(firsts) == len(set(firsts)) >= 9
    assert set(DRY) <= set(firsts)
    assert all(DRY.values())
    for block in shell_blocks(README) + shell_blocks(INSTRUCTORS):
        if first_command(block) in DRY:  # nothing but make would be kept from running
            assert all(line.startswith("make ") for line in block.splitlines())


@pytest.mark.takes(seconds=12)
def test_every_command_of_the_readme_does_what_it_says_and_one_is_refused(tour):
    failed = {first: said.failed for first, said in tour.items() if said.failed}
    (step,) = failed
    assert step.startswith("sed -i"), tour[step].text
    assert failed == {step: [REFUSED]}


def test_step_1_shows_a_release_that_checks_itself(tour):
    (said,) = [said for first, said in tour.items() if first.startswith("autograder check")]
    assert "sgd_step_matches_reference: 0 of " in said.text


def test_step_2_publishes_the_tour(tour):
    said = tour["mkdir -p assignments/tour/bank"]
    assert "wrote release/tour/ and build/tour/" in said.text
    assert "1 of 1 mistakes and 13 null models rejected" in said.text
    assert re.search(r"33 mutants, 28 killed, 3 equivalent, 2 survive", said.text), said.text


def test_step_3_is_refused_as_the_mistake_passes_and_keeps_what_was_published(tour):
    (said,) = [said for first, said in tour.items() if first.startswith("sed -i")]
    assert "tour is not published" in said.text
    passes = "'always scales, short gradients too' passes every case: no case tells it from the"
    assert passes in said.text


def test_step_4_grades_the_solution(tour):
    said = tour["mkdir -p submitted/you/tour"]
    assert re.search(r"^you +2 +2 +graded$", said.text, re.MULTILINE), said.text


def test_step_5_leaves_nothing_of_the_tour(tour, course, files_before):
    left = {path for path in files(course) - files_before if not path.startswith("results/.")}
    assert {path.partition("/")[0] for path in left} <= {"gradebook.db", "report"}


def test_every_command_of_the_instructors_page_works_on_an_assignment_called_name(copy):
    outcome = run_blocks(copy, ["source .venv/bin/activate\n", *shell_blocks(INSTRUCTORS)])
    assert [said.failed for said in outcome] == [[]] * len(outcome), outcome
    result = json.loads((copy / "results" / "NAME" / "you.json").read_text())
    assert (result["earned"], result["status"]) == (4.0, "pending")


def test_make_test_shuffles_by_a_seed_that_it_prints():
    def said(*settings):
        command = ["make", "--dry-run", "test", *settings]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout

    assert "SEED=7" in said("SEED=7")
    assert "--randomly-seed=7" in said("SEED=7", "WORKERS=0")
    assert "-n 0 " in said("WORKERS=0")
    seeds = re.findall(r"SEED=(\d+).*--randomly-seed=(\d+)", said(), re.DOTALL)
    assert len(seeds) == 1
    assert seeds[0][0] == seeds[0][1]
