"""The files of a bank: one for each question, beside the notebook."""

import ast
from collections.abc import Iterable, Mapping
from functools import lru_cache

from autograder.artefacts.manifest import Manifest
from autograder.authoring.bank import Bank
from autograder.authoring.checks import Check
from autograder.compiler.syntax import call_name, nearest, parse, replace_nodes, text_of
from autograder.course import Course
from autograder.errors import SourceError

__all__ = [
    "FOLDER",
    "read_bank_texts",
    "require_fair_prices",
    "require_known_questions",
    "without_prices",
]

FOLDER = "bank"


def read_bank_texts(course: Course, name: str) -> dict[str, str]:
    """Return the text of each bank of an assignment, by path (``bank/sgd_step.py``).

    Raises:
        SourceError: one is not Python, or no UTF-8.
    """
    found = {}
    folder = course.source(name).parent / FOLDER
    for path in sorted(folder.glob("*.py")):
        try:
            text = path.read_bytes().decode().replace("\r\n", "\n")
            parse(text)
        except UnicodeDecodeError:
            raise SourceError("the file is not UTF-8", course.relative(path)) from None
        except SourceError as error:
            raise error.at(course.relative(path)) from None
        found[f"{FOLDER}/{path.name}"] = text
    return found


def require_known_questions(
    course: Course, name: str, banks: Iterable[str], checks: Mapping[str, Check]
) -> None:
    """Refuse a bank whose name is that of no question with a check, nor begins with _."""
    known = {check.question for check in checks.values()}
    folder = course.source(name).parent
    for path in banks:
        question = path.removeprefix(f"{FOLDER}/").removesuffix(".py")
        if question not in known and not question.startswith("_"):
            raise SourceError(
                f"no check belongs to a question {question!r}{nearest(question, known)}",
                course.relative(folder / path),
            )


def require_fair_prices(
    course: Course, name: str, banks: Mapping[str, Bank], manifest: Manifest
) -> None:
    """Refuse a mistake that costs more points than its question has."""
    folder = course.source(name).parent
    for question in manifest.questions:
        for mistake in banks.get(question.id, Bank()).mistakes:
            if mistake.costs is not None and mistake.costs > question.points:
                raise SourceError(
                    f"{mistake.title!r}: costs must be at most the points of the question, "
                    f"{question.points:g}, got {mistake.costs:g}",
                    course.relative(folder / FOLDER / f"{question.id}.py"),
                )


@lru_cache(maxsize=128)
def without_prices(text: str) -> str:
    """Return a bank's text in which no mistake says what it costs.

    A price that is added, changed or removed leaves the same, though the call be wrapped anew.
    """
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    for call in sorted(calls, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        if call_name(call) == "mistake":
            said = [text_of(text, value) for value in call.args]
            said += (
                f"{f'{keyword.arg}=' if keyword.arg else '**'}{text_of(text, keyword.value)}"
                for keyword in call.keywords
                if keyword.arg != "costs"
            )
            text = replace_nodes(text, [call], f"mistake({', '.join(said)})")
    return text
