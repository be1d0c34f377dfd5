"""What the demo class submits beyond hw1: amara all right, dmitri with two slips in each.

``python -m tests.demo.other_homework`` writes it into ``submitted/`` again, after an assignment has
changed; `test_writeups.py` holds what it must get.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import nbformat

from autograder.artefacts.release import Artefacts
from autograder.compiler.build import build
from autograder.course import Course, find_course
from tests.demo.demo_class import Answers, all_right, submit

ROOT = Path(__file__).resolve().parents[2]


class Slip(NamedTuple):
    """A piece of the right answer to a question, what stands in its place, and what that costs."""

    question: str
    defines: str
    old: str
    new: str
    lost: float  # points
    says: str  # what feedback says of it


SLIPS: dict[str, tuple[Slip, ...]] = {
    "hw2_hypergradients": (
        Slip("dloss_deta", "dloss_deta", "-4 / n**2", "-4 / n", 7, "4/n in place of 4/n²"),
        Slip(
            "hypergrad_unrolled",
            "hypergrad_unrolled",
            ", create_graph=True",
            "",
            13,
            "create_graph is missing",
        ),
    ),
    "hw3_autodiff": (
        Slip(
            "numeric_jacobian",
            "numeric_jacobian",
            "/ (2 * h)",
            "/ h",
            5 * 4 / 9 + 1 / 11 + 2 * 2 / 4,
            "divided by h: its two points are 2h apart",
        ),
        Slip("prox_step", "prox_step", "w - grad / lam", "w - lam * grad", 3, "times lambda"),
    ),
    "hw4_conv_layers": (
        Slip(
            "dropout", "dropout_forward", " / (1 - p) if", " if", 4, "what is kept is not enlarged"
        ),
        Slip(
            "batchnorm_forward",
            "batchnorm_forward",
            "_beside(gamma, x) * standard + _beside(beta, x), running_mean",
            "standard, running_mean",
            5,
            "scale and shift are forgotten",
        ),
    ),
    "hw5_conv_arithmetic": (
        Slip(
            "conv_out_shape",
            "conv_out_shape",
            "// s + 1",
            "// s",
            4,
            "off by one: the first place counts too",
        ),
        Slip("count_params", "parts_of_params", "sum(2 * o", "sum(o", 6, ""),
    ),
    "hw6_colorization": (
        Slip(
            "padding_for", "padding_for", "kernel % 2", "0", 5, "no output padding for odd kernels"
        ),
        Slip(
            "colour_epoch",
            "colour_epoch",
            "        optimizer.zero_grad()\n",
            "",
            3,
            "old gradients are never forgotten",
        ),
    ),
    "hw7_training": (
        Slip(
            "train_epoch",
            "train_epoch",
            "        optimizer.zero_grad()\n",
            "",
            5,
            "gradients add up",
        ),
        Slip(
            "softmax_loss",
            "softmax_loss",
            "d_scores / len(y)",
            "d_scores",
            2,  # its price
            "is not divided by the number of examples",
        ),
    ),
    "exam": (
        Slip(
            "rms_preconditioner",
            "rms_preconditioner",
            "np.mean(",
            "np.sum(",
            2,
            "the sum of the squares, not their mean",
        ),
        Slip(
            "expected_change",
            "expected_change",
            "-4 * lr * pull",
            "-2 * lr * pull",
            3,
            "the factor 2 of the mixed term is missing",
        ),
    ),
}


def with_slips(slips: Iterable[Slip], answers: Answers) -> None:
    """Everything is right but for some slips."""
    answers.solve()
    for slip in slips:
        answers.edit(slip.defines, slip.old, slip.new)


def homework(artefacts: Artefacts) -> Iterator[tuple[str, str]]:
    """Yield each student who submits an assignment, with the notebook's text."""
    release = nbformat.reads(artefacts.release[f"{artefacts.name}.ipynb"].decode(), as_version=4)
    solution = nbformat.reads(artefacts.solution.decode(), as_version=4)
    acts: dict[str, Callable[[Answers], None]] = {
        "amara": all_right,
        "dmitri": partial(with_slips, SLIPS[artefacts.name]),
    }
    for student, act in acts.items():
        notebook = Answers(release, solution)
        act(notebook)
        yield student, nbformat.writes(notebook.notebook) + "\n"


def write_homework(course: Course, names: Iterable[str], submitted: Path) -> None:
    """Write what the class submits for some assignments."""
    for name in names:
        for minute, (student, text) in enumerate(homework(build(course, name))):
            submit(submitted / student / name, text, minute)


if __name__ == "__main__":
    write_homework(find_course(ROOT), sys.argv[1:] or SLIPS, ROOT / "submitted")
    sys.stdout.write(f"wrote homework of amara and dmitri for {len(SLIPS)} assignments\n")
