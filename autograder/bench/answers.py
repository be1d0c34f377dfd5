"""The class that every system grades: fifty notebooks, the same answers for all of them.

Right answers are the reference and the alternatives of the course, wrong ones its mistakes; an
answer that is missing leaves the stub in its cell.
"""

import ast
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["COURSE", "NAME", "QUESTIONS", "Answer", "Submission", "fill", "make_class", "reference"]

NAME = "seven"
COURSE = Path(__file__).parent / "course"
QUESTIONS = {
    "sgd_step": 2,
    "rmsprop_step": 2,
    "softmax_xent": 2,
    "conv2d_forward": 3,
    "batchnorm_forward": 2,
    "make_cnn": 2,
    "train_step": 2,
}
SEED = 413
RIGHT, WRONG = 0.6, 0.25  # shares of the answers; the rest is not implemented


@dataclass(frozen=True)
class Answer:
    """What stands in a solution cell, and whether it is right."""

    source: str
    right: bool


@dataclass(frozen=True)
class Submission:
    """A student's answers; a question without one keeps its stub."""

    student: str
    answers: dict[str, Answer]

    def points(self) -> dict[str, float]:
        """Return what each question must earn."""
        right = {question for question, answer in self.answers.items() if answer.right}
        return {q: float(points) if q in right else 0.0 for q, points in QUESTIONS.items()}


def make_class(count: int) -> list[Submission]:
    """Return a class: all right, all blank, then mixtures; the same for the same count."""
    bank, rng = _bank(), random.Random(SEED)
    submissions = []
    for number in range(count):
        answers = {}
        for question in QUESTIONS:
            right = [answer for answer in bank[question] if answer.right]
            wrong = [answer for answer in bank[question] if not answer.right]
            dice = {0: 0.0, 1: 1.0}.get(number, rng.random())
            if dice < RIGHT:
                answers[question] = rng.choice(right)
            elif dice < RIGHT + WRONG:
                answers[question] = rng.choice(wrong)
        submissions.append(Submission(f"s{number:05d}", answers))
    return submissions


def fill(release: bytes, answers: dict[str, Answer]) -> bytes:
    """Return a release notebook with answers in its solution cells."""
    notebook: dict[str, Any] = json.loads(release)
    for cell in notebook["cells"]:
        answer = answers.get(_defined_in(cell)) if cell["cell_type"] == "code" else None
        if answer is not None:
            cell["source"] = answer.source
    return json.dumps(notebook, indent=1).encode()


def reference(question: str, name: str | None = None) -> tuple[str, str]:
    """Return the reference's function in two parts: down to its docstring, and its body.

    Args:
        question: the function's name.
        name: another one for it.
    """
    text = (COURSE / "reference" / "layers.py").read_text(encoding="utf-8")
    for function in _functions(text):
        if function.name == question:
            lines = text.splitlines(keepends=True)
            split = function.body[1].lineno - 1
            head = "".join(lines[function.lineno - 1 : split])
            if name is not None:
                head = head.replace(f"def {question}(", f"def {name}(")
            return head, "".join(lines[split : function.end_lineno])
    raise KeyError(question)


def _bank() -> dict[str, list[Answer]]:
    """Return all known answers of each question: the reference, alternatives and mistakes."""
    bank = {question: [Answer("".join(reference(question)), True)] for question in QUESTIONS}
    for question in QUESTIONS:
        file = COURSE / "assignments" / NAME / "bank" / f"{question}.py"
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        for function in _functions(text):
            match function.decorator_list:
                case [ast.Call(func=ast.Name(id="mistake" | "alternative" as kind))]:
                    body = "".join(lines[function.lineno - 1 : function.end_lineno])
                    body = body.replace("def _(", f"def {question}(", 1)
                    bank[question].append(Answer(body, kind == "alternative"))
    return bank


def _functions(text: str) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))


def _defined_in(cell: dict[str, Any]) -> str:
    """Return the first function that a cell defines, or ""."""
    try:
        return next((function.name for function in _functions("".join(cell["source"]))), "")
    except SyntaxError:  # a magic
        return ""
