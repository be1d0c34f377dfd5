"""Alignment: which of a student's cells stands for which cell of the release.

An id in the metadata counts first, then the text of a cell that lost its id, then its place. A
cell that stands for none is the student's own and stays where it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.grading.additions import Budget, added_lines
from autograder.grading.notes import told_cells
from autograder.grading.student_cells import StudentCell

__all__ = [
    "Alignment",
    "align",
    "differs",
    "grade_id_of",
    "is_answer",
    "is_check",
    "is_manual",
    "prompts_of",
]

MOST_NAMES = 4  # of cells that one note tells


@dataclass
class Alignment:
    """A student's cells beside those of the release.

    Attributes:
        anchored: the cell that stands for a cell of the release, by grade_id.
        leading: the student's own cells in front of the first anchored one; the others follow
            an anchored one.
        copies: the other cells with the id of an answer cell, by grade_id; own cells as well.
        notes: what was found, for staff and the student.
        is_anothers: whether it is the notebook of another assignment.
    """

    anchored: dict[str, StudentCell]
    leading: list[StudentCell] = field(default_factory=list)
    copies: dict[str, list[StudentCell]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)
    is_anothers: bool = False

    def strays(self) -> Iterator[StudentCell]:
        """Yield the student's own cells that may be the answer to any question."""
        for cells in (self.leading, *(cell.following for cell in self.anchored.values())):
            yield from (cell for cell in cells if cell.is_stray)


def align(cells: Sequence[StudentCell], release: NotebookNode, budget: Budget) -> Alignment:
    """Find the student's cell for each cell of the release, and the place of the others.

    Args:
        cells: the student's.
        release: the release notebook.
        budget: of the notebook.
    """
    known = {grade_id_of(given): given for given in release.cells}
    without = sum(cell.is_stray for cell in cells)
    foreign = {c.number for c in cells if c.grade_id is not None and c.grade_id not in known}
    for cell in cells:
        if cell.number in foreign:
            cell.grade_id = None  # another assignment's id says nothing here
    found = Alignment(_claim_by_id(cells, known))
    missing = [given for grade_id, given in known.items() if grade_id not in found.anchored]
    found.anchored |= _claim_by_text(cells, missing)
    # Given cells are numbered in every assignment, so that their ids tell nothing.
    own = (known[i] for i, cell in found.anchored.items() if cell.number not in foreign)
    found.is_anothers = len(foreign) > without and not any(
        is_answer(given) or is_check(given) for given in own
    )
    _place_others(cells, known, found, budget)
    _claim_by_place(release, found)
    _note_order_and_losses(release, found)
    return found


def _claim_by_id(
    cells: Sequence[StudentCell], known: dict[str, NotebookNode]
) -> dict[str, StudentCell]:
    """Return the cells that say whose they are: of several the first that looks like it."""
    same: dict[str, list[StudentCell]] = defaultdict(list)
    for cell in cells:
        if cell.grade_id is not None:
            same[cell.grade_id].append(cell)
    return {
        grade_id: next((c for c in several if _looks_like(c, known[grade_id])), several[0])
        for grade_id, several in same.items()
    }


def _looks_like(cell: StudentCell, given: NotebookNode) -> bool:
    """Return whether a cell is the given one, unchanged, or may hold its answer.

    A copy of an answer that became text is an earlier attempt, put aside.
    """
    if is_answer(given):
        return bool(cell.type == given.cell_type)
    return not differs(cell.source, given.source)


def _claim_by_text(
    cells: Sequence[StudentCell], missing: Sequence[NotebookNode]
) -> dict[str, StudentCell]:
    """Return the cells that lost their id and have the text of a cell not found so far."""
    texts: dict[str, list[str]] = defaultdict(list)
    for given in missing:
        texts[given.source.strip()].append(grade_id_of(given))
    claimed = {}
    for cell in cells:
        if cell.is_stray and (same := texts.get(cell.source.strip())):
            claimed[same.pop(0)] = cell
    return claimed


def _place_others(
    cells: Sequence[StudentCell], known: dict[str, NotebookNode], found: Alignment, budget: Budget
) -> None:
    """Put the student's own cells behind the anchored ones that they follow.

    A second cell with the id of an answer is one of them, so that the last definition counts, as
    it does in Jupyter; so is a copy of a given cell, unless it would neither run nor say anything.
    """
    anchors = {cell.number for cell in found.anchored.values()}
    behind = found.leading
    for cell in cells:
        given = known.get(cell.grade_id or "")
        if cell.number in anchors:
            behind = cell.following
            continue
        if given is not None and is_answer(given):
            found.copies[grade_id_of(given)].append(cell)
            aside = cell.type != given.cell_type
            fate = f"a {cell.type} cell, put aside" if aside else "the last one counts"
            found.notes.append(f"cell {cell.number} is a copy of {cell.grade_id}; {fate}")
        elif given is not None and _is_idle(given) and not differs(cell.source, given.source):
            found.notes.append(
                f"cell {cell.number} is a copy of the given cell {cell.grade_id}; left out"
            )
            continue
        elif (
            given is not None
            and given.cell_type != "code"
            and added_lines(given.source, cell.source, budget)
        ):
            cell.grade_id = None  # half of a prompt, say, with an answer below it
        behind.append(cell)


def _is_idle(given: NotebookNode) -> bool:
    return given.cell_type != "code" or is_check(given)


def _claim_by_place(release: NotebookNode, found: Alignment) -> None:
    """Anchor own cells that stand where answer cells are missing, as many and of their types."""
    behind, missing = found.leading, list[NotebookNode]()
    for given in release.cells:
        cell = found.anchored.get(grade_id_of(given))
        if cell is not None:
            _fill_gap(behind, missing, found)
            behind, missing = cell.following, []
        elif is_answer(given):
            missing.append(given)
    _fill_gap(behind, missing, found)


def _fill_gap(own: list[StudentCell], missing: list[NotebookNode], found: Alignment) -> None:
    """Anchor the own cells between two anchored ones, if they fit the answers missing there."""
    fitting = [cell for cell in own if cell.is_stray]
    if [cell.type for cell in fitting] != [given.cell_type for given in missing]:
        return
    grade_ids = {c.number: grade_id_of(g) for c, g in zip(fitting, missing, strict=True)}
    behind, between = own, own.copy()
    own.clear()
    for cell in between:
        if cell.number in grade_ids:
            found.anchored[grade_ids[cell.number]] = cell
            behind = cell.following
            found.notes.append(
                f"cell {cell.number} stands where {grade_ids[cell.number]} is missing; taken for it"
            )
        else:
            behind.append(cell)


def _note_order_and_losses(release: NotebookNode, found: Alignment) -> None:
    grade_ids = [grade_id_of(given) for given in release.cells]
    numbers = [found.anchored[i].number for i in grade_ids if i in found.anchored]
    if numbers != sorted(numbers):
        found.notes.append("the cells were in another order than in the release; put back")
    answers, code = list[str](), list[str]()  # the ids of missing cells
    for given, grade_id in zip(release.cells, grade_ids, strict=True):
        if grade_id and grade_id not in found.anchored:
            if is_answer(given):
                answers.append(grade_id)
            elif given.cell_type == "code":
                code.append(grade_id)
    if answers:
        found.notes.append(f"the answer {told_cells(answers, MOST_NAMES)} {_verb(answers)} missing")
    if code:
        was, verb = "was" if len(code) == 1 else "were", _verb(code)
        told = told_cells(code, MOST_NAMES)
        found.notes.append(f"the given {told} {was} missing and {verb} restored")


def _verb(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def grade_id_of(given: NotebookNode) -> str:
    """Return a release cell's id, "" for one without: every cell of ours has one."""
    return str(_marks(given).get("grade_id", ""))


def is_answer(given: NotebookNode) -> bool:
    """Return whether a release cell is the student's to fill."""
    return not _marks(given).get("locked", True)


def is_check(given: NotebookNode) -> bool:
    """Return whether a release cell holds a check."""
    return bool(_marks(given).get("grade") and not _marks(given).get("solution"))


def is_manual(given: NotebookNode) -> bool:
    """Return whether a release cell takes an answer that staff score."""
    return bool(_marks(given).get("grade") and _marks(given).get("solution"))


def prompts_of(release: NotebookNode, grade_id: str) -> list[str]:
    """Return the given text cells into which the answer to a manual question may be written.

    They stand above its cell, below the answer cell before; or below it, where the next answer is
    to no manual question.
    """
    prompts = list[str]()  # the given text cells since the last answer cell
    found = list[str]()
    last = ""
    for given in release.cells:
        if is_answer(given):
            if grade_id_of(given) == grade_id or (last == grade_id and not is_manual(given)):
                found += prompts
            last, prompts = grade_id_of(given), []
        elif given.cell_type != "code":
            prompts.append(grade_id_of(given))
    return found + prompts if last == grade_id else found


def differs(a: str, b: str) -> bool:
    """Return whether two texts differ in more than the white space at line ends."""
    return a != b and [x.rstrip() for x in a.strip().splitlines()] != [
        x.rstrip() for x in b.strip().splitlines()
    ]


def _marks(given: NotebookNode) -> NotebookNode:
    return given.metadata.get("nbgrader", NotebookNode())
