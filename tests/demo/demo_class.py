"""The demo class: who submitted what for hw1, made from the release and its solution.

``python tests/demo/demo_class.py`` writes ``submitted/`` again, after the release has changed;
`test_demo_class.py` holds what each of them must get.
"""

import ast
import copy
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import nbformat

from autograder.artefacts.release import FIRST_CELL

ASSIGNMENT = "hw1_optimizers"
Notebook = nbformat.NotebookNode
HANDED_IN = "2026-11-18 20:{minute:02d}:00 UTC"


class Answers:
    """A student's notebook while it is written: the release, with a way to answer its cells."""

    def __init__(self, release: Notebook, solution: Notebook) -> None:
        self.notebook = copy.deepcopy(release)
        # The class began before releases had a cell in front, and is graded as if there were none.
        cells = [c for c in release.cells if c.metadata.nbgrader.grade_id != FIRST_CELL]
        self.notebook.cells = copy.deepcopy(cells)
        self.solution = {c.metadata.nbgrader.grade_id: c.source for c in solution.cells}

    @property
    def answer_cells(self) -> list[Notebook]:
        """The cells that take an answer, in order."""
        return [c for c in self.notebook.cells if c.metadata.nbgrader.solution]

    def solve(self, first: int | None = None) -> None:
        """Write the right answers into all answer cells, or the first few."""
        for cell in self.answer_cells[:first]:
            cell.source = _without_rubric(self.solution[cell.metadata.nbgrader.grade_id])

    def cell_of(self, name: str) -> Notebook:
        """Return the answer cell that gives a name its meaning."""
        for cell in self.answer_cells:
            if cell.cell_type == "code" and name in _definitions(cell.source):
                return cell
        raise KeyError(name)

    def write(self, name: str, code: str) -> None:
        """Put another definition of a name in place of the one that is there."""
        cell = self.cell_of(name)
        node = _definitions(cell.source)[name]
        lines = cell.source.splitlines()
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        new = textwrap.dedent(code).strip("\n").splitlines()
        cell.source = "\n".join([*lines[: first - 1], *new, *lines[node.end_lineno :]])

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a piece of the answer that defines a name."""
        cell = self.cell_of(name)
        assert old in cell.source, f"{old!r} is not in the answer of {name}"
        cell.source = cell.source.replace(old, new)

    def index(self, grade_id: str) -> int:
        """Return where the cell with an id stands."""
        ids = [c.metadata.nbgrader.grade_id for c in self.notebook.cells]
        return ids.index(grade_id)


def _definitions(source: str) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node
    return found


def _without_rubric(text: str) -> str:
    kept, skipping = [], False
    for line in text.splitlines():
        if "BEGIN MARK SCHEME" in line:
            skipping = True
        if not skipping and "### BEGIN" not in line and "### END" not in line:
            kept.append(line)
        if "END MARK SCHEME" in line:
            skipping = False
    return "\n".join(kept).strip("\n")


def all_right(a: Answers) -> None:
    """Every answer is right."""
    a.solve()


def untouched(a: Answers) -> None:
    """The release, handed back as it was."""


def half_done(a: Answers) -> None:
    """The first half is right, the rest was not begun."""
    a.solve((len(a.answer_cells) + 1) // 2)


def no_bias_correction(a: Answers) -> None:
    """Adam without bias correction."""
    a.solve()
    a.write(
        "adam_step",
        """
        def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
            m = beta1 * m + (1 - beta1) * grad
            v = beta2 * v + (1 - beta2) * grad**2
            return w - lr * m / (np.sqrt(v) + eps), m, v
        """,
    )


def eps_inside_root(a: Answers) -> None:
    """Epsilon inside the root, in RMSprop and in Adagrad."""
    a.solve()
    a.write(
        "rmsprop_step",
        """
        def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
            mean_square = beta * mean_square + (1 - beta) * grad**2
            return w - lr * grad / np.sqrt(mean_square + eps), mean_square
        """,
    )
    a.write(
        "adagrad_step",
        """
        def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
            accumulator = accumulator + grad**2
            return w - lr * grad / np.sqrt(accumulator + eps), accumulator
        """,
    )


def lost_factor(a: Answers) -> None:
    """The gradient of the sum, where the mean was asked for."""
    a.solve()
    a.write(
        "least_squares_gradient",
        """
        def least_squares_gradient(X, w, t):
            return 2 * X.T @ (X @ w - t)
        """,
    )


def in_place(a: Answers) -> None:
    """Gradient descent and momentum change their arguments in place."""
    a.solve()
    a.write(
        "sgd_step",
        """
        def sgd_step(w, grad, lr):
            w -= lr * grad
            return w
        """,
    )
    a.write(
        "momentum_step",
        """
        def momentum_step(w, grad, velocity, lr, momentum=0.9):
            velocity *= momentum
            velocity += grad
            return w - lr * velocity, velocity
        """,
    )


def other_ways(a: Answers) -> None:
    """Right throughout, and written quite differently."""
    a.solve()
    a.write(
        "sgd_step",
        """
        def sgd_step(w, grad, lr):
            return np.subtract(w, np.multiply(grad, lr)).astype(np.asarray(w).dtype)
        """,
    )
    a.write(
        "rmsprop_step",
        """
        def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
            new_mean = mean_square + (1 - beta) * (np.square(grad) - mean_square)
            return w - grad * (lr / (new_mean**0.5 + eps)), new_mean
        """,
    )
    a.write(
        "minimum_norm_solution",
        """
        def minimum_norm_solution(X, t):
            Q, R = np.linalg.qr(X.T)
            return Q @ np.linalg.solve(R.T, t)
        """,
    )
    a.write(
        "least_squares_loss",
        """
        def least_squares_loss(X, w, t):
            residual = t - np.einsum("nd,d->n", X, w)
            return residual @ residual / len(t)
        """,
    )


def endless_loop(a: Answers) -> None:
    """One function never returns."""
    a.solve()
    a.write(
        "sgd_least_squares",
        """
        def sgd_least_squares(X, t, order, lr, batch_size=1):
            w = [np.zeros(X.shape[1])]
            while len(w) > 0:
                w[-1] = w[-1] - lr * X.T @ (X @ w[-1] - t)
            return np.array(w)
        """,
    )


def syntax_error(a: Answers) -> None:
    """One cell is no Python."""
    a.solve()
    a.cell_of(
        "momentum_step"
    ).source = "def momentum_step(w, grad, velocity, lr, momentum=0.9)\n    return w"


def missing_function(a: Answers) -> None:
    """One function has another name than was asked for."""
    a.solve()
    a.edit("steps_to_target", "def steps_to_target(", "def steps_needed(")


def tangled_cells(a: Answers) -> None:
    """Right answers, but one cell deleted, one doubled, and given cells edited."""
    a.solve()
    answer = a.cell_of("sgd_step")
    position = a.notebook.cells.index(answer)
    twin = copy.deepcopy(answer)
    twin["id"] = "twin"
    a.notebook.cells.insert(position + 1, twin)
    a.notebook.cells.remove(a.cell_of("steps_to_target"))
    first = next(c for c in a.notebook.cells if c.cell_type == "code")
    first.source += "\nimport math"
    check = next(
        c
        for c in a.notebook.cells
        if c.metadata.nbgrader.grade and not c.metadata.nbgrader.solution
    )
    check.source = "assert True"
    check.metadata.nbgrader.points = 1000


def patched_comparisons(a: Answers) -> None:
    """No work, but a cell that makes every comparison say yes."""
    a.answer_cells[0].source += textwrap.dedent(
        """
        import builtins, sys
        import numpy.testing, torch.testing
        import autograder, autograder.authoring.assertions as assertions
        import autograder.authoring.tolerance as tolerance

        def yes(*args, **kwargs):
            return True

        for module in (np, np.testing, torch, torch.testing, autograder, assertions, tolerance):
            for name in dir(module):
                if name.startswith(("assert", "allclose", "array_equal", "isclose", "compare")):
                    setattr(module, name, yes)
        builtins.AssertionError = Exception
        get_ipython().ast_transformers.clear()

        class Same:
            shape, dtype = (3,), np.dtype(float)
            def __eq__(self, other): return True
            def __array__(self, *args, **kwargs): return np.zeros(3)
            def __float__(self): return 0.0

        def sgd_step(*args, **kwargs): return Same()
        adagrad_step = rmsprop_step = adam_step = momentum_step = sgd_step
        adaptive_limit = Same()
        """
    )


def early_exit(a: Answers) -> None:
    """A cell leaves the process with success, and so does one function."""
    a.solve()
    a.cell_of("adagrad_step").source += "\n\nimport os\nos._exit(0)"
    a.write(
        "sgd_step",
        """
        def sgd_step(w, grad, lr):
            import os
            os._exit(0)
        """,
    )


def flood(a: Answers) -> None:
    """Right answers below 100 MB of output."""
    a.solve()
    a.cell_of("sgd_step").source += '\n\nfor _ in range(1000):\n    print("x" * 100_000)'


STUDENTS: dict[str, Callable[[Answers], None]] = {
    "amara": all_right,
    "bao": untouched,
    "carmen": half_done,
    "dmitri": no_bias_correction,
    "elif": eps_inside_root,
    "farid": lost_factor,
    "greta": in_place,
    "hiro": other_ways,
    "ines": endless_loop,
    "jonas": syntax_error,
    "kavya": missing_function,
    "liam": tangled_cells,
    "mallory": patched_comparisons,
    "nadia": early_exit,
    "omar": flood,
}
NO_NOTEBOOK = "priya"


def write_class(release: Path, solution: Path, submitted: Path) -> None:
    """Write the submission of every student of the class."""
    given = nbformat.read(release, as_version=4)
    solved = nbformat.read(solution, as_version=4)
    for minute, (student, act) in enumerate(STUDENTS.items()):
        answers = Answers(given, solved)
        act(answers)
        text = nbformat.writes(answers.notebook) + "\n"
        submit(submitted / student / ASSIGNMENT, text, minute)
    submit(submitted / NO_NOTEBOOK / ASSIGNMENT, "My laptop died, sorry!\n", len(STUDENTS))


def submit(folder: Path, text: str, minute: int) -> None:
    """Write a notebook and the time at which it was submitted into a student's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{folder.name}.ipynb").write_text(text, encoding="utf-8")
    (folder / "timestamp.txt").write_text(HANDED_IN.format(minute=minute) + "\n")


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    write_class(
        root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb",
        root / "build" / ASSIGNMENT / f"{ASSIGNMENT}_solution.ipynb",
        root / "submitted",
    )
    sys.stdout.write(f"wrote {len(STUDENTS) + 1} submissions\n")
