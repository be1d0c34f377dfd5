"""Watching: an assignment is compiled and proven again whenever its author saves a file of it."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.audit.drafts import write_draft_of
from autograder.audit.publish import prove_and_publish
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from autograder.errors import AutograderError

__all__ = ["watch"]

POLL = 0.3  # seconds between two looks
Tell = Callable[[str], None]


def watch(
    course: Course,
    name: str,
    tell: Tell,
    jobs: int = 1,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Compile and prove an assignment now, and again whenever one of its files changes.

    Each time in a process of its own, which begins with all that takes long to import.

    Args:
        course: which it belongs to.
        name: the assignment's.
        tell: is told what came of it, line by line.
        jobs: how many processes an audit may have.
        goes_on: asked between two looks.
    """
    _import_all()
    seen: dict[Path, tuple[int, int]] = {}
    while goes_on():
        now = dict(_files(course, name))
        if now != seen:
            changed = [path for path in {**seen, **now} if seen.get(path) != now.get(path)]
            if seen:
                tell(f"changed: {', '.join(sorted(course.relative(path) for path in changed))}")
            seen = now
            _in_process(lambda: _once(course, name, tell, jobs))
            tell("waiting for a change; Ctrl-C ends this")
        time.sleep(POLL)


def _once(course: Course, name: str, tell: Tell, jobs: int) -> None:
    began = time.monotonic()
    try:
        compiled = compile_assignment(course, name)
        folder = write_draft_of(course, compiled)
        tell(f"draft in {course.relative(folder)}/ after {time.monotonic() - began:.1f} s")
        outcome = prove_and_publish(course, compiled, lambda _: None, jobs)
        for line in outcome.news:
            tell(line)
        tell(f"published after {time.monotonic() - began:.1f} s")
    except AutograderError as error:
        for line in str(error).splitlines():
            tell(line)


def _files(course: Course, name: str) -> Iterator[tuple[Path, tuple[int, int]]]:
    source = course.source(name)
    folders = (source.parent / "bank", source.parent / "data", course.root / "reference")
    paths = [source, course.root / "course.toml"]
    for folder in folders:
        paths += sorted(p for p in folder.rglob("*") if "__pycache__" not in p.parts)
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # an editor is replacing it
            continue
        if path.is_file():
            yield path, (status.st_mtime_ns, status.st_size)


def _import_all() -> None:
    import nbgrader.preprocessors  # noqa: F401
    import torch  # noqa: F401

    from autograder.audit import acceptance, overview, prove  # noqa: F401


def _in_process(work: Callable[[], None]) -> None:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    try:
        process.join()
    except KeyboardInterrupt:
        process.terminate()
        process.join()
        raise
