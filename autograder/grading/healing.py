"""Healing: a student's cells among those of the release, so that all that they wrote counts.

Given and check cells are the release's again. What was added to one runs behind it, or is shown to
staff: text written into a prompt is an answer that a person reads.
"""

from collections.abc import Sequence

from nbformat import NotebookNode

from autograder.artefacts.notebooks import nbformat
from autograder.grading.additions import Additions, Budget, Reader, added_lines, lines_of
from autograder.grading.alignment import (
    Alignment,
    differs,
    grade_id_of,
    is_answer,
    is_check,
    is_manual,
    prompts_of,
)
from autograder.grading.notes import first_of, told_cells
from autograder.grading.student_cells import StudentCell
from autograder.sandbox.client.session import CodeCell

__all__ = ["Healer"]

MOST_NAMES = 3  # that a note tells
# Not by nbformat's functions: they validate, and each worker would build what does, first.
_TEXT: dict[str, object] = {"metadata": {}, "source": ""}
_FORMS: dict[str, dict[str, object]] = {
    "code": {"cell_type": "code", **_TEXT, "execution_count": None, "outputs": []},
    "markdown": {"cell_type": "markdown", **_TEXT},
    "raw": {"cell_type": "raw", **_TEXT},
}


class Healer:
    """Puts a notebook together from a student's cells and those of the release.

    Attributes:
        notebook: the cells as staff read them.
        run: the code cells to run; restored ones are numbered behind the student's.
        places: how many of them stand above each check, by the grade_id of its cell; of one that
            is missing, wherever it may have stood.
        notes: what was healed.

    Args:
        cells: the student's.
        found: how they are aligned.
        release: the release notebook.
        budget: of the notebook.
    """

    def __init__(
        self,
        cells: Sequence[StudentCell],
        found: Alignment,
        release: NotebookNode,
        budget: Budget,
    ) -> None:
        self._found, self._release = found, release
        self._given = {grade_id_of(given): given for given in release.cells}
        self._fresh = cells[-1].number if cells else 0
        self._gap = 0  # how many cells there are to run up to the last one that is not missing
        self._early = set[str]()  # given cells that run before all others
        self._written = dict[str, str]()  # into given cells, by grade_id
        self._edited = dict[str, list[str]]()  # cells by what became of what they had more
        self._budget, self._reader = budget, Reader(budget)
        form = {"cells": [], "metadata": release.metadata, "nbformat": 4, "nbformat_minor": 5}
        self.notebook = nbformat.from_dict(form)
        self.run = list[CodeCell]()
        self.places = dict[str, Sequence[int]]()
        self.notes = list[str]()

    def heal(self) -> None:
        """Put all cells in their order."""
        self._set_up()
        self._gap = len(self.run)
        for cell in self._found.leading:
            self._add_own(cell)
        for given in self._release.cells:
            anchored = self._found.anchored.get(grade_id_of(given))
            if is_answer(given):
                self._add_answer(given, anchored)
            else:
                self._add_given(given, anchored)
            if anchored is not None:
                self._gap = len(self.run)
                for cell in anchored.following:
                    self._add_own(cell)
        for fate, cells in self._edited.items():
            were = "were" if len(cells) > 1 else "was"
            self.notes.append(f"{told_cells(cells)} {were} edited and {fate}")

    def answers(self) -> dict[str, str]:
        """Return what was written for each manual question, by the grade_id of its cell."""
        manual = [given for given in self._release.cells if is_manual(given)]
        return {grade_id_of(given): text for given in manual if (text := self._answer(given))}

    def _set_up(self) -> None:
        """Run the missing given cells that stand above all answers: any of the cells may need them.

        They use nothing of the student's; staff find them in their place.
        """
        for grade_id, given in self._given.items():
            if is_answer(given) or is_check(given):
                return
            if grade_id not in self._found.anchored and given.cell_type == "code":
                self._fresh += 1
                self._early.add(grade_id)
                self.run.append(CodeCell(self._fresh, given.source, "given"))

    def _add_answer(self, given: NotebookNode, cell: StudentCell | None) -> None:
        """Add an answer as the student wrote it, or the release's cell where it is missing."""
        healed = nbformat.from_dict(given)
        self.notebook.cells.append(healed)
        if cell is None:  # the stub could only replace an answer that stands elsewhere
            self._fresh += 1
            return
        _fill(healed, cell)
        if healed.cell_type == "code":
            kind = "stub" if _is_stub(cell.source, given.source) else "answer"
            self._run(cell.number, cell.source, kind)
        if cell.type != given.cell_type:
            self.notes.append(
                f"cell {cell.number} ({grade_id_of(given)}) had become a {cell.type} cell; "
                f"taken as {given.cell_type}"
            )

    def _add_given(self, given: NotebookNode, cell: StudentCell | None) -> None:
        """Add a cell of the release as it was, and behind it what the student added to it."""
        healed = nbformat.from_dict(given)
        self.notebook.cells.append(healed)
        if healed.cell_type == "code":
            healed.outputs = []
        same = cell is not None and not differs(cell.source, given.source)
        more = Additions() if cell is None or same else self._additions(given, cell)
        code = healed.cell_type == "code" and not is_check(given)
        if code and grade_id_of(given) not in self._early:
            restored = cell is None or more.above or more.below
            self._fresh += bool(restored)
            number = self._fresh if cell is None or restored else cell.number
            self.run.append(CodeCell(number, given.source, "given"))
        if cell is not None and not same:
            self._add_more(given, cell, more)
        elif is_check(given):
            first = self._gap if cell is None else len(self.run)
            self.places[grade_id_of(given)] = range(first, len(self.run) + 1)

    def _additions(self, given: NotebookNode, cell: StudentCell) -> Additions:
        """Return what a cell has more; only code that was a code cell for the student runs."""
        if cell.type == "code":
            source = given.source if given.cell_type == "code" else ""
            more = self._reader.additions(source, cell.source, is_check(given))
            if given.cell_type == "code":
                return more
            text = "\n".join(added_lines(given.source, cell.source, self._budget))
            return Additions(more.above, more.below, text, more.changed)
        return Additions(text="\n".join(added_lines(given.source, cell.source, self._budget)))

    def _add_more(self, given: NotebookNode, cell: StudentCell, more: Additions) -> None:
        """Run what a cell of the release had more, show it to staff, and say so."""
        grade_id = grade_id_of(given)
        self._run(cell.number, more.above)
        if more.again:
            self._fresh += 1
            self.run.append(CodeCell(self._fresh, given.source, "given"))
        if is_check(given):
            self.places[grade_id] = (len(self.run),)
        if more.below:
            self._fresh += bool(more.above)
            self._run(self._fresh if more.above else cell.number, more.below)
        self._edited.setdefault(_fate(more), []).append(f"{cell.number} ({grade_id})")
        if more.text:
            self._show(cell, more.text)
            if given.cell_type != "code" or cell.type != "code":
                self._written[grade_id] = more.text

    def _add_own(self, cell: StudentCell) -> None:
        """Add a cell that the student made."""
        self._show(cell, cell.source)
        if cell.type != "code":
            return
        given = self._given.get(cell.grade_id or "")
        if given is not None and is_check(given):  # an edited copy
            more = self._reader.additions(given.source, cell.source)
            self._run(cell.number, more.above)
        else:
            self._run(cell.number, cell.source)

    def _run(self, number: int, source: str, kind: str = "own") -> None:
        """Let a student's code run, without self-checks: their answers are in the release only."""
        source = self._reader.without_self_checks(source)
        if source.strip():
            self.run.append(CodeCell(number, source, kind))

    def _show(self, cell: StudentCell, text: str) -> None:
        """Add a cell to what staff read."""
        added = nbformat.from_dict(_FORMS[cell.type] | {"id": f"own-{cell.number}"})
        _fill(added, cell)
        added.source = text
        self.notebook.cells.append(added)

    def _answer(self, given: NotebookNode) -> str | None:
        """Return what was written for a manual question; None if nothing was.

        What stands in its prompt counts. Where its cell is missing or untouched, any text cell of
        the student's own may be the answer: staff will see.
        """
        grade_id, found = grade_id_of(given), self._found
        prompts = prompts_of(self._release, grade_id)
        texts = [self._written[prompt] for prompt in prompts if prompt in self._written]
        if grade_id in found.anchored:
            cells = [found.anchored[grade_id], *found.copies[grade_id]]
        else:
            cells = list(found.strays())
            texts += self._merged(grade_id)
        texts += [cell.source for cell in cells if differs(cell.source, given.source)]
        if not texts:
            texts = [cell.source for cell in found.strays() if cell.type != "code"]
        return "\n\n".join(dict.fromkeys(texts)) if texts else None

    def _merged(self, grade_id: str) -> list[str]:
        """Return the text of the cell above a missing one, if that may have been merged into it.

        Then it holds a line of every text between them: of the first, where there is any.
        """
        above, between = "", list[str]()
        for given in self._release.cells:
            if (name := grade_id_of(given)) == grade_id:
                break
            if name in self._found.anchored:
                above, between = name, []
            elif given.cell_type != "code":
                between += [line.strip() for line in lines_of(given.source) if line.strip()]
        if above not in self._given or not above:
            return []
        given, cell = self._given[above], self._found.anchored[above]
        text = cell.source if is_manual(given) else self._written.get(above, "")
        if not text or not differs(text, given.source):
            return []
        lines = {line.strip() for line in lines_of(text)}
        return [text] if not between or lines.intersection(between) else []


def _fate(more: Additions) -> str:
    """Say what became of an edited cell."""
    fate = "restored"
    if more.above or more.below:
        fate += "; what was added runs behind the restored text"
    elif more.text and not more.changed:
        fate += "; what was written there is shown to staff"
    if more.changed:
        fate += f"; the change to {first_of(more.changed, MOST_NAMES)} does not count"
    return fate


def _is_stub(text: str, given: str) -> bool:
    """Return whether an answer cell holds the release's stub, but for comments and blank lines."""
    ours, theirs = (
        [line.rstrip() for line in lines_of(source) if line.strip()[:1] not in ("", "#")]
        for source in (given, text)
    )
    return ours == theirs


def _fill(target: NotebookNode, cell: StudentCell) -> None:
    """Put what a student wrote into a cell of the graded notebook."""
    target.source = cell.source
    if target.cell_type == "code":
        target.outputs = nbformat.from_dict(cell.outputs)
    elif cell.attachments:
        attachments = {**target.get("attachments", {}), **cell.attachments}
        target.attachments = nbformat.from_dict(attachments)
