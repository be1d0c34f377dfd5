"""A draft is marked, is proven by nobody, and changes nothing that is published."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from autograder.artefacts.notebooks import nbformat
from autograder.artefacts.proof import proof_file, read_proof, write_proof
from autograder.artefacts.recording import load_recording
from autograder.audit import prove
from autograder.audit.drafts import write_draft
from autograder.audit.publish import compile_and_publish
from autograder.authoring.standard import Standard
from autograder.course import Course
from autograder.errors import SourceError

WriteCourse = Callable[..., Course]
SUM = "scaled_sum_matches_reference"


def files_below(folder: Path) -> dict[str, bytes]:
    paths = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if "draft" not in name}


def test_a_draft_is_the_release_with_a_mark_in_front(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    folder = write_draft(course, "small")
    assert folder == course.build("small") / "draft"
    compile_and_publish(course, "small", lambda _: None)
    released, draft = (
        nbformat.read(place / "small.ipynb", as_version=4)
        for place in (course.release("small"), write_draft(course, "small"))
    )
    mark, *rest = draft.cells
    assert mark.cell_type == "markdown"
    assert mark.source.startswith("# Draft\n\nNobody has proven")
    assert rest == released.cells
    assert files_below(folder).keys() == files_below(course.release("small")).keys()


def test_a_draft_is_not_proven(write_course: WriteCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(prove, "prove")
    course = write_course(("return x.sum()", "return 2 * x.sum()"))
    assert (write_draft(course, "small") / "small.ipynb").is_file()
    assert not proof_file(course, "small").exists()


def test_a_draft_changes_nothing_that_is_published(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    compile_and_publish(course, "small", lambda _: None)
    before = files_below(course.root)
    write_proven_course(("n=40", "n=41"))
    changed = files_below(course.root)
    write_draft(course, "small")
    after = files_below(course.root)
    assert after == changed
    assert {name for name in after if after[name] != before[name]} == {"assignments/small/small.py"}


def test_what_is_old_in_a_draft_goes(write_course: WriteCourse) -> None:
    course = write_course()
    folder = write_draft(course, "small")
    (folder / "old.txt").write_text("old")
    write_draft(course, "small")
    assert not (folder / "old.txt").exists()


def test_a_draft_has_the_tolerances_that_were_proven_last(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    stored = read_proof(course, "small")
    assert stored is not None
    standard = Standard(factor=7.0)
    held = stored.checks[SUM].holding_to(standard)
    write_proof(course, "small", msgspec.structs.replace(stored, checks={SUM: held}))
    recording = load_recording((write_draft(course, "small") / "recording.json").read_bytes())
    assert recording.standards == {SUM: standard}


def test_what_cannot_be_compiled_is_no_draft(write_course: WriteCourse) -> None:
    course = write_course(("points=4", 'points="four"'))
    with pytest.raises(SourceError):
        write_draft(course, "small")
