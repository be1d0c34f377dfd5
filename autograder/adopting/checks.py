"""A test cell as checks: what students see, and what is hidden, or why it is not rewritten."""

import ast
import keyword
import re
import textwrap
from collections.abc import Collection
from dataclasses import dataclass

from autograder.adopting.bodies import Body
from autograder.adopting.cells import ForeignCell
from autograder.adopting.forms import AUTOTEST
from autograder.adopting.literal_cases import LiteralCases, literal_cases
from autograder.adopting.names import Names
from autograder.adopting.refusals import Unwritable

__all__ = ["CheckText", "checks_of", "identifier"]

VISIBLE, HIDDEN = "the tests of the cell", "all tests of the cell"


@dataclass(frozen=True)
class CheckText:
    """A check as it is written.

    Attributes:
        uses: what of `autograder` it needs imported, and of `forms`.
    """

    name: str
    text: str
    hidden: bool
    uses: frozenset[str]


def identifier(text: str, taken: Collection[str] = (), kind: str = "tests") -> str:
    """Return a text as a name that nothing else has; ``kind`` is added where something has it."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or kind
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"{kind}_{name}"
    found, number = name, 2
    if name in taken:
        found = f"{name}_{kind}" if not name.endswith(kind) else f"{name}_2"
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def checks_of(
    cell: ForeignCell,
    names: Names,
    nose: frozenset[str],
    name: str,
    taken: Collection[str],
    rich: bool,
) -> list[CheckText]:
    """Return the checks of a test cell.

    What is hidden there is a check of its own, with all tests and all points; the visible part
    shows students what it can, and earns nothing by itself.

    Args:
        cell: with tests.
        names: of the notebook, and of the test cells above.
        nose: what the notebook imports from nose.
        name: of the check that has the points.
        taken: the names that are in use.
        rich: whether sets and tables must cross.

    Raises:
        Unwritable: it has no counterpart.
    """
    tests = cell.tests
    assert tests is not None
    if (cases := literal_cases(tests, names)) is not None:
        return [_of_cases(cell, name, cases)]
    if tests.visible == tests.whole:
        body = Body(tests.visible, tests.output, names, nose, rich)
        return [_check(cell, body, name, tests.points, hidden=False)]
    # A value that the solution gives to a visible test is in the release: it is no hidden test.
    shares = AUTOTEST in tests.visible
    text = _without_asked(tests.whole, tests.visible) if shares else tests.whole
    whole = Body(text, tests.output, names, nose, rich)
    points = tests.points / 2 if shares else tests.points
    found = [_check(cell, whole, name, points, hidden=True)]
    try:
        shown = Body(tests.visible, None, names, nose, rich)
    except Unwritable:
        return found  # nothing in it asks for a student's work
    shown.question = whole.question
    first = identifier(f"{name}_visible", taken)
    return [_check(cell, shown, first, tests.points - points, hidden=False), *found]


def _without_asked(text: str, visible: str) -> str:
    shown = {line for line in visible.split("\n") if AUTOTEST in line}
    return "\n".join(line for line in text.split("\n") if line not in shown)


def _check(cell: ForeignCell, body: Body, name: str, points: float, hidden: bool) -> CheckText:
    """Return the check of a body."""
    said = body.docstring or f"The tests of cell {cell.name or cell.number} pass."
    case = f'@case("{HIDDEN}", hidden=True)' if hidden else f'@case("{VISIBLE}")'
    lines = [
        f'@check("{body.question}", points={points:g})',
        case,
        f"def {name}(student, reference, rng):",
        textwrap.indent(_docstring(said), "    "),
        _indented(body.text),
    ]
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except SyntaxError:
        raise Unwritable("it cannot stand in a function") from None
    return CheckText(name, text, hidden, frozenset(body.uses))


def _of_cases(cell: ForeignCell, name: str, cases: LiteralCases) -> CheckText:
    """Return one check with a case for each call; all of them must pass, as in the cell."""
    assert cell.tests is not None
    where, function = cell.name or cell.number, cases.function
    said = cases.docstring or f"{function} is right for the arguments of cell {where}."
    lines = [
        f'@check("{function}", points={cell.tests.points:g}, all_or_nothing=True)',
        *cases.decorators(),
        f"def {name}(student, reference, rng, args):",
        textwrap.indent(_docstring(said), "    "),
        f"    got, want = student.{function}(*args), reference.{function}(*args)",
        f'    assert_close(got, want, what="{function}")',
    ]
    return CheckText(name, "\n".join(lines), cases.all_hidden, frozenset({"assert_close"}))


def _docstring(said: str) -> str:
    quoted = said.replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{quoted}"""' if not quoted.endswith('"') else f'"""{quoted} """'


def _indented(body: str) -> str:
    """Return a body inside a function; texts over several lines stay as they are."""
    text = textwrap.indent(body, "    ")
    plain = ast.parse(body)
    function = ast.parse(f"def f():\n    pass\n{text}").body[0]
    assert isinstance(function, ast.FunctionDef)
    if [*map(ast.dump, function.body[1:])] == [*map(ast.dump, plain.body)]:
        return text
    return textwrap.indent(ast.unparse(plain), "    ")
