"""Whatever is in the way, a command ends with one clear sentence and the exit code of the contract.

As root, in mount namespaces of their own that end with the command: full disks, disks without
inodes, and read-only ones.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autograder.course import Course
from tests.cli.conftest import ENVIRONMENT, Run, in_process
from tests.cli.test_cli import SOMEBODY
from tests.small_course import made_once

NAMESPACE = ["unshare", "--mount", "--propagation", "private"]
NAME = "a\x1b[31m\x9b\u202e\n;=1"
Call = Callable[..., subprocess.CompletedProcess[str]]
SHOWN = r"a\x1b[31m\x9b\u202e\n;=1"


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory, compiled: Path, shell: Run) -> Path:
    """A course whose class is graded: one right, one blank, one with a hostile name."""

    def make(root: Path) -> None:
        shutil.copytree(compiled, root, dirs_exist_ok=True)
        course = Course(root)
        for student, source in {
            "ada": course.build("small") / "small_solution.ipynb",
            "bo": course.release("small") / "small.ipynb",
            NAME: course.release("small") / "small.ipynb",
        }.items():
            path = root / "submitted" / student / "small" / "small.ipynb"
            path.parent.mkdir(parents=True)
            shutil.copy(source, path)
        done = shell(root, "autograder compile --force; autograder grade")
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "graded", make)


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Course:
    """A copy of the graded course."""
    shutil.copytree(graded, tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture
def call(course: Course, run: Run) -> Call:
    """Calls a command in this process, which is quicker."""
    return lambda *arguments: run(course.root, *arguments)


@pytest.fixture
def mounted(course: Course, shell: Run) -> Call:
    """Runs a command after a script that mounts."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mount, with the program unshare")
    if shell(course.root, "mount -t tmpfs none report", *NAMESPACE).returncode != 0:
        pytest.skip("this machine lets nobody mount")

    def run(script: str, command: str) -> subprocess.CompletedProcess[str]:
        return shell(course.root, f"{script}\nexec autograder {command}", *NAMESPACE)

    return run


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("autograder: ")
    assert all(word in line for word in words), line
    assert "/tmp" not in line
    assert ".tmp-" not in line
    assert "[Errno" not in line


READ_ONLY = "mount --bind {0} {0}; mount -o remount,bind,ro {0}"
AGAIN = "rm -r results"  # so that there is something to grade


@pytest.mark.parametrize(
    ("script", "command", "words"),
    [
        (f"{AGAIN}; mkdir results; mount -t tmpfs -o size=4k none results", "grade", "No space"),
        (f"{AGAIN}; mkdir results; mount -t tmpfs -o nr_inodes=4 none results", "grade", "No sp"),
        (f"{AGAIN}; mkdir results; {READ_ONLY.format('results')}", "grade", "Read-only"),
        ("mount -t tmpfs -o size=8k none feedback", "grade", "feedback"),
        ("mount -t tmpfs -o nr_inodes=2 none feedback", "grade", "feedback"),
        (f"rm -r feedback/ada/*; {READ_ONLY.format('.')}", "grade", "feedback: Read-only"),
        (READ_ONLY.format("."), "feedback", "Read-only"),
        (READ_ONLY.format("."), "report", "report: Read-only"),
        (READ_ONLY.format("."), "new more", "Read-only"),
        (READ_ONLY.format("build"), "compile --force", "build/small/audit.json: Read-only"),
        ("mount -t tmpfs -o size=16k none build", "compile --force", "build/small"),
        ("mount -t tmpfs -o size=16k none release", "compile --force", "release/.small.new/"),
        (READ_ONLY.format("release"), "compile --force", "release/.small.new: Read-only"),
        (f"rm build/small/audit.*; {READ_ONLY.format('build')}", "audit", "audit.json: Read-only"),
    ],
)
def test_a_disk_that_takes_nothing_more(
    mounted: Call,
    script: str,
    command: str,
    words: str,
) -> None:
    assert_one_sentence(mounted(script, command), 3, words, "run the same command again")


def test_a_course_on_a_read_only_disk_can_be_read(
    mounted: Call,
) -> None:
    for command in ("export small", "grade", "regrade --preview", "compile"):
        done = mounted(READ_ONLY.format("."), command)
        assert (done.returncode, done.stderr.strip()) == (0, ""), command


def test_what_could_be_stored_before_the_disk_was_full_is_not_graded_again(
    mounted: Call, course: Course, shell: Run
) -> None:
    done = mounted(
        "rm -r results; mkdir -p results/small/history/bo; chmod 700 results/small/history/bo\n"
        "mount -t tmpfs -o size=4k none results/small/history/bo\n"
        "head -c 4096 /dev/zero > results/small/history/bo/x",
        "grade --jobs 1",
    )
    assert_one_sentence(done, 3, "results/small/history/bo: No space left on device")
    assert (course.results("small") / "ada.json").is_file()
    again = shell(course.root, "autograder grade")
    assert again.returncode == 0, again.stderr
    assert "before" in again.stdout


@pytest.mark.parametrize(
    ("script", "command", "code", "words"),
    [
        ("rm -r results; echo x > results", "grade", 3, "results/small: Not a directory"),
        ("rm -r results; echo x > results", "export small", 3, "results/small: Not a directory"),
        ("rm -r feedback; echo x > feedback", "grade", 3, "feedback: File exists"),
        ("rm gradebook.db; mkdir gradebook.db", "grade", 3, "gradebook.db cannot be written"),
        ("rm report/*; mkdir report/index.html", "report", 3, "report/index.html: Is a directory"),
        ("rm -r submitted; echo x > submitted", "grade", 3, "submitted: Not a directory"),
        ("rm build/small/*.bundle; mkfifo build/small/small.bundle", "grade", 2, "not compiled"),
        ("rm results/small/.recorded; mkdir results/small/.recorded", "grade", 3, ".recorded: Is"),
        ("touch 'a\nb.ipynb'", "check 'a\nb.ipynb'", 2, r"a\nb.ipynb is no Jupyter notebook"),
    ],
)
def test_what_lies_in_the_way(
    course: Course,
    call: Call,
    shell: Run,
    script: str,
    command: str,
    code: int,
    words: str,
) -> None:
    assert shell(course.root, script).returncode == 0
    assert_one_sentence(call(*shlex.split(command)), code, words)


@pytest.mark.parametrize("command", ["export small", "grade --json", "grade"])
def test_an_output_that_takes_nothing_more(course: Course, shell: Run, command: str) -> None:
    done = shell(course.root, f"exec autograder {command} > /dev/full")
    assert_one_sentence(done, 3, "standard output: No space left")


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_output_is_no_fault(course: Course, shell: Run, closed: str) -> None:
    done = shell(course.root, f"exec autograder export small {closed}>&-")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_console_that_lacks_letters_gets_their_numbers(course: Course) -> None:
    (course.root / "submitted" / "Zoë").mkdir()
    shutil.copytree(course.root / "submitted/ada/small", course.root / "submitted/Zoë/small")
    script = str(Path(sys.executable).with_name("autograder"))  # which a course's staff start
    env = ENVIRONMENT | {"PYTHONIOENCODING": "ascii"}
    done = in_process(course.root, script, "grade", env=env)
    assert done.returncode == 0, done.stderr
    assert r"Zo\u00eb" in done.stdout


@pytest.mark.parametrize("command", ["export small", "export --to json", "feedback", "report"])
def test_a_damaged_result_is_said_and_leaves_the_others(
    course: Course, call: Call, command: str
) -> None:
    (course.results("small") / "bo.json").write_text("damaged")
    done = call(*command.split())
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("needs attention: bo is left out: the stored result results/small/bo")
    if command == "feedback":
        assert "wrote 2 pages" in done.stdout
    elif "export" in command:
        assert "ada" in done.stdout
        assert "bo" not in done.stdout


def test_a_page_that_cannot_be_written_is_said_and_leaves_the_others(
    course: Course, call: Call
) -> None:
    shutil.rmtree(course.root / "feedback" / "ada")
    (course.root / "feedback" / "ada").write_text("no folder")
    done = call("feedback")
    assert done.returncode == 1
    assert "wrote 2 pages" in done.stdout
    assert done.stderr.startswith("needs attention: the pages of ada are not written: feedback/ada")


@pytest.mark.parametrize("text", ["[]", "\0\1\2"])
def test_a_damaged_report_of_an_audit_is_written_anew(
    course: Course, call: Call, text: str
) -> None:
    (course.build("small") / "audit.json").write_text(text)
    (course.build("small") / "audit.html").unlink(missing_ok=True)
    done = call("audit")
    assert (done.returncode, done.stderr) == (0, "")
    assert (course.build("small") / "audit.html").is_file()


COMMANDS = {
    "grade": ["grade"],
    "json": ["grade", "--json", "--student", NAME],
    "unknown": ["grade", "--student", NAME + "x"],
    "export": ["export", "small"],
    "export json": ["export", "--to", "json"],
    "preview": ["regrade", "--preview", "--student", NAME],
    "feedback": ["feedback"],
    "report": ["report"],
    "damaged": ["export", "small"],
}


@pytest.mark.parametrize("which", COMMANDS)
def test_a_name_steers_no_terminal_in_any_command(course: Course, call: Call, which: str) -> None:
    stored = course.results("small") / f"{NAME}.json"
    if which == "damaged":
        stored.write_text("damaged")
    else:  # a regrade finds other points than before, and everybody is graded again
        stored.write_text(stored.read_text().replace('"earned": 0.0', '"earned": 5.0'))
        with (course.root / "course.toml").open("a") as file:
            file.write("\n[limits]\ncell_seconds = 11\n")
    done = call(*COMMANDS[which])
    assert done.returncode == {"unknown": 2, "damaged": 1}.get(which, 0), done.stderr
    printed = done.stdout + done.stderr
    assert not set("\x1b\x9b\u202e\x7f") & set(printed)
    assert "\n;=1" not in printed
    if which in ("grade", "preview", "unknown", "damaged"):
        assert SHOWN[:15] in printed
    if which == "export":
        assert SHOWN.replace(";=", ";'=") in printed
    page = (course.root / "report" / "small.html").read_text()
    assert SHOWN in page or which == "damaged"


@pytest.fixture
def open_course(graded: Path) -> Iterator[Course]:
    """A copy of the graded course where others may come; pytest closes its own folders."""
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(graded, Path(folder) / "course")
        (Path(folder) / "course").chmod(0o755)
        yield Course(Path(folder) / "course")


# Runs commands as they are asked for, and prints what became of each.
SEVERAL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from autograder import cli
for line in sys.stdin:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(line.split())
    print(json.dumps([code, *(one.buffer.getvalue().decode() for one in (out, err))]), flush=True)
"""


@contextmanager
def ordinary_user(root: Path) -> Iterator[Call]:
    """Give what calls a command of a course as an ordinary user, in one process for all."""
    program = [sys.executable, str(SOMEBODY), "--in", str(root), "user"]
    program += [sys.executable, "-c", SEVERAL]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(program, env=ENVIRONMENT, text=True, bufsize=1, **pipes) as process:

        def call(command: str) -> subprocess.CompletedProcess[str]:
            print(command, file=process.stdin)
            return subprocess.CompletedProcess("autograder", *json.loads(process.stdout.readline()))

        yield call


def test_an_ordinary_user_is_told_what_may_not_be_read_and_grades_the_rest(
    open_course: Course,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    course = open_course
    subprocess.run(["chown", "-R", "12345:12345", str(course.root)], check=True)
    shutil.rmtree(course.results("small"))
    for student, closed in {"closed": ".", "deep": "small", "file": "small/small.ipynb"}.items():
        folder = course.root / "submitted" / student
        shutil.copytree(course.root / "submitted/ada", folder)
        (folder / closed).chmod(0)
        os.chown(folder / closed, 0, 0)
    with ordinary_user(course.root) as call:
        done = call("grade")
        if "cannot be held safely" in done.stderr:
            pytest.skip("no walls for an ordinary user on this machine")
        assert done.returncode == 1, done.stderr
        for student in ("closed", "deep", "file"):
            said = f"needs attention: {student}: small.ipynb cannot be read: Permission denied"
            assert said in done.stdout
        assert "graded 6 submissions" in done.stdout
        for path, words, commands in (
            (
                course.results("small"),
                "results/small",
                ("grade", "export small", "regrade --preview"),
            ),
            (course.root / "submitted", "submitted", ("grade", "regrade --preview")),
        ):
            path.chmod(0)
            os.chown(path, 0, 0)
            for command in commands:
                assert_one_sentence(call(command), 3, f"{words}: Permission denied")
            path.chmod(0o755)
        done = call("export small")
        assert (done.returncode, done.stderr) == (0, "")
