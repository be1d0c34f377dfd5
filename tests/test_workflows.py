"""Workflows: what CI is told to do can be done, and the scripts of their steps do it."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder import cli
from autograder.course import Course
from tests.cli.conftest import ENVIRONMENT
from tests.small_course import compiled, small_proof, write_proven_course
from tests.warm.commands import warm

__all__ = ["compiled", "small_proof", "warm", "write_proven_course"]

ROOT = Path(__file__).resolve().parents[1]
OURS = ROOT / ".github" / "workflows"
TO_COPY = ROOT / "docs" / "ci"
ON_GITHUB = [*sorted(OURS.glob("*.yml")), *sorted(TO_COPY.glob("*on-push.yml")),
             TO_COPY / "grade-pushes.yml"]  # fmt: skip
ON_GITLAB = TO_COPY / "gitlab-ci.yml"
SECRET = "a secret of this test alone"
BEHIND = re.compile(r" (?:\|\||>>|\|)(?: .*)?$")  # what a shell does with the outcome of a call
Do = Callable[..., subprocess.CompletedProcess[str]]


def read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def jobs(path: Path) -> dict[str, Any]:
    """Return the jobs of a workflow, or of GitLab's file."""
    found = read(path)
    if path != ON_GITLAB:
        return dict(found["jobs"])
    return {name: job for name, job in found.items() if isinstance(job, dict) and "script" in job}


def scripts(job: dict[str, Any]) -> Iterator[str]:
    """Yield the scripts of a job."""
    yield from (step["run"] for step in job.get("steps", ()) if "run" in step)
    yield from job.get("script", ())


def step(path: Path, job: str, name: str) -> str:
    """Return the script of a step."""
    (found,) = (one["run"] for one in jobs(path)[job]["steps"] if one.get("name") == name)
    return str(found)


@pytest.mark.parametrize("path", [*ON_GITHUB, ON_GITLAB], ids=lambda path: path.name)
def test_every_call_of_ours_can_be_parsed(path: Path) -> None:
    text = "\n".join(script for job in jobs(path).values() for script in scripts(job))
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    calls = [line.strip() for line in lines if line.strip().startswith("autograder ")]
    for call in calls:
        words = shlex.split(re.sub(r"\$\w+", "1", BEHIND.sub("", call)))
        assert callable(cli._parser().parse_args(words[1:]).run), call
    assert calls or path.parent == OURS
    for target in re.findall(r"^make (\w+)", text, re.MULTILINE):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), target


@pytest.mark.parametrize("path", ON_GITHUB, ids=lambda path: path.name)
def test_a_workflow_has_few_rights_and_no_input_is_pasted_into_a_script(path: Path) -> None:
    assert read(path)["permissions"] in ({}, {"contents": "read"})
    for name, job in jobs(path).items():
        assert job["timeout-minutes"], name
        rights = job.get("permissions", {})
        assert set(rights) <= {"contents", "actions"}
        assert set(rights.values()) <= {"read"}
        for one in job["steps"]:
            assert "${{" not in one.get("run", ""), "an expression there is pasted in as it is"
            if one.get("uses", "").startswith("actions/checkout"):
                assert one["with"]["persist-credentials"] is False


def test_the_job_that_runs_what_was_pushed_has_no_secret_and_no_token() -> None:
    found = jobs(TO_COPY / "grade-pushes.yml")
    running = [job for job in found.values() if "autograder grade" in "".join(scripts(job))]
    (job,) = running
    assert job["permissions"] == {}
    words = yaml.safe_dump(job)
    assert "secrets." not in words
    assert "token" not in words.lower()
    assert "checkout" not in words
    pushed = yaml.safe_dump(read(TO_COPY / "check-on-push.yml"))
    assert "secrets." not in pushed, "a student can read what a student's repository has"


def test_grading_requires_the_secret_in_every_workflow() -> None:
    for path in [*ON_GITHUB, ON_GITLAB]:
        text = path.read_text()
        calls = re.findall(r"autograder grade(?:-one)? (?:[^\n]|\\\n)*", text)
        assert all("--require-secret" in call for call in calls), path.name


@pytest.fixture
def do(warm: Path, tmp_path: Path) -> Do:
    """Runs a script as a runner does, in a folder, with a command of ours that starts warm."""

    def do(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        env = {
            **ENVIRONMENT,
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{warm}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "ASSIGNMENT": "small",
            **more,
        }
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return do


def submit(course: Course, *students: str) -> None:
    for student in students:
        folder = course.root / "submitted" / student / "small"
        folder.mkdir(parents=True)
        shutil.copy(course.build("small") / "small_solution.ipynb", folder / "small.ipynb")


def test_a_class_is_graded_in_parts_and_put_together(
    compiled: Path, tmp_path: Path, do: Do
) -> None:
    path = OURS / "grade-class.yml"
    course = Course(shutil.copytree(compiled, tmp_path / "course"), "Small")
    submit(course, "ada", "bo", 'c:y "x"?', "dee")
    broken = course.root / "submitted" / "dee" / "small" / "small.ipynb"
    broken.write_text("no notebook")
    assert do(step(path, "bundles", "compile"), course.root).returncode == 0
    parts = jobs(path)["part"]["strategy"]["matrix"]["part"]
    assert "!cancelled()" in jobs(path)["whole"]["if"], "it grades what a part that failed did not"
    count = str(read(path)["env"]["PARTS"])
    assert parts == list(range(1, int(count) + 1))
    for part in parts:
        own = shutil.copytree(course.root, tmp_path / f"part{part}", symlinks=True)
        script, numbers = step(path, "part", "grade this part"), {"PART": str(part)}
        do(script, own, **numbers, PARTS=count)
        assert not (own / "results").exists(), "there is no secret"
        done = do(script, own, **numbers, PARTS=count, AUTOGRADER_SECRET=SECRET)
        assert done.returncode == 0, done.stderr
        assert re.match(r"::stop-commands::\w{32}\n", done.stdout), "no name is a command"
        assert do(step(path, "part", "pack this part"), own, **numbers).returncode == 0
    (course.root / "parts").mkdir()
    for packed in tmp_path.glob("part*/results-*.tar"):
        shutil.copy(packed, course.root / "parts")
    whole = step(path, "whole", "put the parts together")
    done = do(whole, course.root, AUTOGRADER_SECRET=SECRET)
    assert done.returncode == 1, "dee needs attention"
    assert "nothing to grade" in done.stdout
    assert "4 submitted: 3 pending, 1 needs attention" in (course.root / "summary.md").read_text()
    assert {"junit.xml", "grades.csv", "gradebook.db", "report"} <= set(os.listdir(course.root))
    assert course.feedback("small", 'c:y "x"?').is_file()
    assert do(step(path, "whole", "pack what was written"), course.root).returncode == 0
    fresh = shutil.copytree(compiled, tmp_path / "gpu")
    shutil.copy(course.root / "graded.tar", fresh)
    gpu = OURS / "grade-gpu.yml"
    assert do(step(gpu, "gpu", "unpack"), fresh).returncode == 0
    assert {path.stem for path in (fresh / "results" / "small").glob("*.json")} == {
        *("ada", "bo", 'c:y "x"?', "dee")
    }
    (fresh / "gradebook.db").unlink()  # as where it is on a server
    assert do(step(gpu, "gpu", "pack what was written"), fresh).returncode == 0


def test_an_empty_class_is_graded_and_packed(compiled: Path, tmp_path: Path, do: Do) -> None:
    path, root = OURS / "grade-class.yml", shutil.copytree(compiled, tmp_path / "course")
    secret = {"PART": "1", "PARTS": "4", "AUTOGRADER_SECRET": SECRET}
    for name in ("grade this part", "pack this part"):
        assert do(step(path, "part", name), root, **secret).returncode == 0
    (root / "parts").mkdir()
    (root / "results-1.tar").rename(root / "parts" / "results-1.tar")
    for name in ("put the parts together", "pack what was written"):
        done = do(step(path, "whole", name), root, **secret)
        assert done.returncode == 0, done.stderr


def test_gitlab_does_the_same(compiled: Path, tmp_path: Path, do: Do) -> None:
    course = Course(shutil.copytree(compiled, tmp_path / "course"), "Small")
    submit(course, "ada", "bo")
    found = jobs(ON_GITLAB)
    assert found["part"]["artifacts"]["when"] == found["whole"]["when"] == "always"
    count = str(found["part"]["parallel"])
    for number in range(1, int(count) + 1):
        more = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": count, "AUTOGRADER_SECRET": SECRET}
        for script in found["part"]["script"]:
            assert do(script, course.root, **more).returncode == 0
    for script in found["whole"]["script"]:
        assert do(script, course.root, AUTOGRADER_SECRET=SECRET).returncode == 0
    assert "2" in (course.root / "junit.xml").read_text()


def passed_on(path: Path, artifact: str) -> list[str]:
    """Return what a workflow packs into an artifact."""
    steps = (one for job in jobs(path).values() for one in job["steps"])
    packing = (one["with"] for one in steps if "upload-artifact" in one.get("uses", ""))
    (found,) = (one["path"] for one in packing if one["name"] == artifact)
    return str(found).split()


GH = """#!/bin/sh
case "$*" in
  "auth setup-git") ;;
  *status\\?per_page=100\\ --jq*) cat "$GH_KNOWN" ;;
  *) printf '%s\\n' "$*" >> "$GH_SAID" ;;
esac
"""


@pytest.fixture
def forge(compiled: Path, tmp_path: Path) -> Path:
    """A folder in which repositories lie as on a forge, and a command `gh` that notes calls."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    (tmp_path / "known").write_text("")
    build = compiled / "build" / "small"
    for student, notebook in (("ada", "small_solution.ipynb"), ("bo", None), ("eve", "folder")):
        folder = tmp_path / "forge" / "students" / f"small-{student}"
        folder.mkdir(parents=True)
        (folder / "README").write_text("mine")
        if notebook == "folder":
            (folder / "small" / "small.ipynb").mkdir(parents=True)
            (folder / "small" / "small.ipynb" / "file").write_text("no notebook")
        elif notebook:
            (folder / "small").mkdir()
            shutil.copy(build / notebook, folder / "small" / "small.ipynb")
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(folder))
        for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "work")):
            subprocess.run([*git, *words], check=True)
    subprocess.run(["git", "init", "-q", tmp_path / "forge" / "students" / "empty"], check=True)
    return tmp_path / "forge"


def test_what_was_pushed_is_graded_by_a_job_that_has_no_secret(
    compiled: Path, tmp_path: Path, forge: Path, do: Do
) -> None:
    path = TO_COPY / "grade-pushes.yml"
    fetch, grade, publish = (tmp_path / name for name in ("fetch", "grade", "publish"))
    (fetch / "bundles").mkdir(parents=True)
    bundle = compiled / "build" / "small" / "small.bundle"
    key = {"BUNDLE_KEY": "a key of this test", "AUTOGRADER_SECRET": SECRET}
    page = (ROOT / "docs" / "ci.md").read_text()
    (sealing,) = re.findall(r"^openssl enc .*$", page, re.MULTILINE)
    sealing = sealing.replace("build/NAME/NAME.bundle", str(bundle)).replace("NAME", "small")
    assert do(sealing, fetch / "bundles", **key).returncode == 0
    assert (fetch / "bundles" / "small.bundle.enc").read_bytes() != bundle.read_bytes()
    (fetch / "repositories.csv").write_text(
        "cy,students/gone\r\ndee,students/empty\r\nbo,students/small-bo\r\n"
        "eve,students/small-eve\r\nada,students/small-ada"
    )
    said, known = tmp_path / "said", tmp_path / "known"
    output = tmp_path / "output"
    on_forge = {
        "GITHUB_SERVER_URL": forge.as_uri(),
        "GITHUB_OUTPUT": str(output),
        "GH_SAID": str(said),
        "GH_KNOWN": str(known),
    }
    fetched = step(path, "fetch", "fetch what is new")
    done = do(fetched, fetch, **on_forge)
    assert done.returncode == 0, done.stderr
    row = (fetch / "commits.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in row] == [["ada", "students/small-ada"]]
    for student, gone in (("cy", "gone"), ("dee", "empty")):
        said_of = f"::warning::students/{gone} of {student} is empty, or cannot be read"
        assert said_of in done.stdout
    assert output.read_text() == "pushes=1\n"
    assert do(step(path, "fetch", "open the bundle"), fetch, **key).returncode == 0
    assert (fetch / "small.bundle").read_bytes() == bundle.read_bytes()

    for folder, artifact in ((grade, "to-grade"), (publish, "pushes")):
        folder.mkdir()
        for name in passed_on(path, artifact):
            for place in fetch.glob(name):
                copy = shutil.copytree if place.is_dir() else shutil.copy
                copy(place, folder / place.name)
    assert not (publish / "secret.txt").exists()
    done = do(step(path, "grade", "grade"), grade)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (grade / "graded" / "ada").iterdir()} == {"grades.json", "summary.md"}
    shutil.copytree(grade / "graded", publish / "graded")
    done = do(step(path, "publish", "set the status of each commit"), publish, **on_forge)
    assert done.returncode == 0, done.stderr
    commit = row[0].split(",")[2]
    assert said.read_text() == (
        f"api repos/students/small-ada/statuses/{commit} -f state=pending "
        "-f context=autograder/small -f description=5 of 7 points, pending\n"
    )

    with (publish / "commits.csv").open("a") as commits:
        commits.write(f"bo,students/small-bo,{commit}\n{row[0]}\n")
    done = do(step(path, "publish", "set the status of each commit"), publish, **on_forge)
    assert done.returncode == 1, "bo has no grade"
    assert len(said.read_text().splitlines()) == 3, "those behind bo are told theirs"

    known.write_text("autograder/small\n")
    shutil.rmtree(fetch / "clones")
    (fetch / "commits.csv").unlink()
    do(fetched, fetch, **on_forge)
    assert (fetch / "commits.csv").read_text() == "", "what has its status is not graded again"
    assert output.read_text().endswith("pushes=0\n")
    assert "pushes != '0'" in jobs(path)["grade"]["if"], "then no other job runs"


def test_a_push_is_checked_without_anything_secret(compiled: Path, tmp_path: Path, do: Do) -> None:
    shutil.copytree(compiled / "release" / "small", tmp_path / "small")
    script = step(TO_COPY / "check-on-push.yml", "check", "check")
    done = do(script, tmp_path)
    assert done.returncode == 1
    assert "not implemented yet" in done.stdout
    solution = compiled / "build" / "small" / "small_solution.ipynb"
    shutil.copy(solution, tmp_path / "small" / "small.ipynb")
    assert do(script, tmp_path).returncode == 0


def test_the_image_is_made_of_what_a_release_holds(compiled: Path) -> None:
    text = (TO_COPY / "Containerfile").read_text()
    (copied,) = re.findall(r"^COPY (.*) /opt/wheels/$", text, re.MULTILINE)
    for pattern in copied.split():
        assert list((compiled / "release" / "small").glob(pattern)), pattern
    before = text[: text.index("RUN pip install")]
    assert "\nWORKDIR /opt/wheels\n" in before, "requirements.txt names the wheel as ./"
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)
    assert json.loads(entry) == ["autograder"]
