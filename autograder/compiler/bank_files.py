"""The files of a bank: one for each question, beside the notebook."""

from collections.abc import Iterable, Mapping

from autograder.authoring.checks import Check
from autograder.compiler.syntax import nearest, parse
from autograder.course import Course
from autograder.errors import SourceError

__all__ = ["FOLDER", "read_bank_texts", "require_known_questions"]

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
