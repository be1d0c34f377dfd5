"""One submission without a class: graded as in a run, and stored nowhere."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.grades import Grade, grade_of
from autograder.artefacts.manifest import Manifest
from autograder.course import Course, NoCourse, find_course, notebook_in
from autograder.engines.places import device_for
from autograder.engines.table import ENGINES
from autograder.engines.work import Job, Work
from autograder.sandbox.protocol.settings import Isolation
from autograder.secret import SECRET_FILE_VARIABLE, secret_of_environment

__all__ = ["Alone", "grade_alone"]


@dataclass(frozen=True)
class Alone:
    """A submission that was graded by itself.

    Attributes:
        manifest: the assignment's.
        grade: what was found.
        demo_secret: whether its hidden inputs are drawn from the secret that everybody knows.
        notebook: as it was graded.
        isolation: the level of the walls around the code; None where none ran.
    """

    manifest: Manifest
    grade: Grade
    notebook: Path
    demo_secret: bool
    isolation: Isolation | None = None


def grade_alone(
    bundle: Path,
    submission: Path,
    student: str,
    device: str = "auto",
    require_secret: bool = False,
) -> Alone:
    """Grade a notebook as ``autograder grade`` does.

    Limits are those of the `course.toml` beside the bundle or above it, if there is one.

    Args:
        bundle: the assignment's.
        submission: the notebook, or the folder that holds it.
        student: whose it is; hidden inputs are drawn for this name.
        device: ``cpu``, ``cuda`` or ``auto``.
        require_secret: grade with no demo secret, whatever `course.toml` says.

    Raises:
        DeviceLost: its GPU is gone.
        HarnessError: the bundle cannot be read or run here.
        UnsafeHere: this machine cannot hold a student's code safely, or there is no secret.
        UsageError: the `course.toml` or the secret is wrong.
    """
    bundle = bundle.absolute()
    manifest = read_bundle(bundle).manifest
    try:
        course = find_course(bundle.parent)
    except NoCourse:
        course = Course(bundle.parent, secret=secret_of_environment())
    if require_secret:
        course = replace(course, require_secret=True)
    private = [*course.private(), bundle]
    if secret_file := os.environ.get(SECRET_FILE_VARIABLE):
        private.append(Path(secret_file).absolute())
    limits, level = course.limits_of(manifest.assignment), course.min_isolation
    device = device_for(device, manifest)
    work = Work(bundle, course.secret_to_grade_with(), limits, device, level, tuple(private))
    notebook = _notebook(submission, manifest.assignment)
    job = Job(student, notebook)
    (graded,) = ENGINES["local"](work, [job], 1)
    grade = grade_of(manifest, student, graded.result)
    name = graded.result.isolation
    level_held = Isolation(name) if name is not None else None
    return Alone(manifest, grade, Path(os.path.relpath(notebook)), course.demo_secret, level_held)


def _notebook(submission: Path, assignment: str) -> Path:
    """Return the notebook of a submission; the folder is ours, and may be behind a link."""
    if submission.is_dir():
        return notebook_in(submission.resolve(), assignment)
    return submission.parent.resolve() / submission.name
