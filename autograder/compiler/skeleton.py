"""The first version of a new assignment: small, and complete enough to compile."""

from collections.abc import Sequence
from pathlib import Path

from autograder.compiler.answer_skeletons import CHOICE, NUMBER, PLOT, KindSkeleton
from autograder.compiler.measured_skeletons import MEMORY, SPEED, TRAINING
from autograder.course import Course
from autograder.errors import UsageError, naming

__all__ = ["KINDS", "write_skeleton"]

KINDS: dict[str, KindSkeleton] = {
    "choice": CHOICE,
    "number": NUMBER,
    "plot": PLOT,
    "speed": SPEED,
    "training": TRAINING,
    "memory": MEMORY,
}

_FUNCTION = "standard_scores"

_REFERENCE = '''"""The answers of {name}: what students write, tested and hidden."""

import numpy as np

__all__ = ["{function}"]


def {function}(x: np.ndarray) -> np.ndarray:
    """Return the numbers moved to mean 0 and scaled to standard deviation 1.

    Args:
        x: (n,) numbers, not all equal.

    Returns:
        (n,) numbers; the standard deviation is that of the numbers themselves (divide by n).
    """
    return (x - x.mean()) / x.std()
'''

_SOURCE = """# %% [markdown]
# # {title}
#
# Say what this homework is about, and how long it takes.

# %%
import numpy as np

from autograder import arrays, matches_reference, self_check

# %% [markdown]
# ## 1 Standard scores (4 points)
# Teach, then ask. State every convention: here the standard deviation divides by $n$.

# %%
from reference.{name} import {function}

# %%
{function}_matches_reference = matches_reference(
    "{function}",
    points=4,
    said="The scores are those of the formula above, for all numbers that are not all equal.",
    returns="scores",
    hint="Which standard deviation is asked for?",
    x=arrays("n", values=("normal", "large", "tiny")),
    sizes={{"n": (2, 40)}},
)


self_check({function}_matches_reference)


# %% [markdown] manual=true question="why" points=2
# ## 2 Why (2 points)
# Why does one scale the inputs of a network?
#
# ### BEGIN SOLUTION
# Inputs of one size let one learning rate suit all first-layer weights.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# 2 points for the link between the size of an input and the size of its weights' gradient.
# === END MARK SCHEME ===
"""

_BANK = """import numpy as np

from autograder import alternative, mistake

mistake("divides by the variance, not by its root", edit=("x.std()", "x.var()"))


@mistake("the standard deviation divides by n - 1")
def _(x):
    return (x - x.mean()) / x.std(ddof=1)


@alternative("the root of the mean square of what is centred")
def _(x):
    centred = x - np.sum(x) / len(x)
    return centred / np.sqrt(np.mean(centred**2))
"""


_HEAD_OF_KINDS = """# %% [markdown]
# # {title}
#
# Say what this homework is about, and how long it takes.

# %%
{imports}
"""


def write_skeleton(course: Course, name: str, kinds: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write a new assignment's source notebook, banks, and its module of the reference.

    Args:
        course: where it is written.
        name: of the assignment.
        kinds: of questions, one of each; none writes a function and a text.

    Returns:
        The paths of the notebook, of each bank, and of the module.

    Raises:
        UsageError: the name cannot be one, something of that name is there already, or there is no
            such kind.
    """
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UsageError(f"a kind must be one of {', '.join(KINDS)}, got {unknown[0]!r}")
    if not name.isidentifier() or not name.isascii():
        raise UsageError(f"{name!r} cannot be the name of an assignment; use a_z, 0-9 and _")
    source = course.root / "assignments" / name / f"{name}.py"
    reference = course.root / "reference" / f"{name}.py"
    for path in (source.parent, reference):
        if path.exists():
            raise UsageError(f"{course.relative(path)} is there already")
    notebook, banks, module = _texts(name, [KINDS[kind] for kind in dict.fromkeys(kinds)])
    texts = {source: notebook}
    texts |= {source.parent / "bank" / f"{one}.py": text for one, text in banks.items()}
    texts[reference] = module
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming(path):
            path.write_text(text, encoding="utf-8")
    return tuple(texts)


def _texts(name: str, kinds: Sequence[KindSkeleton]) -> tuple[str, dict[str, str], str]:
    """Return the texts of the notebook, of banks by their questions, and of the reference."""
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "function": _FUNCTION}
    if not kinds:
        texts = [text.format(**words) for text in (_SOURCE, _BANK, _REFERENCE)]
        return texts[0], {_FUNCTION: texts[1]}, texts[2]
    used = {"case", "check", "self_check"}.union(*(kind.uses for kind in kinds))
    plots = any(kind.plots for kind in kinds)
    computing = "import numpy as np" + plots * "\nfrom matplotlib import pyplot as plt"
    imports = "".join(f"    {one},\n" for one in sorted(used))
    notebook = _HEAD_OF_KINDS.format(
        **words, imports=f"{computing}\n\nfrom autograder import (\n{imports})"
    )
    for number, kind in enumerate(kinds, 1):
        notebook += kind.cells.replace("{name}", name).replace("{number}", str(number))
    public = "".join(f"    {kind.question!r},\n" for kind in kinds).replace("'", '"')
    module = (
        f'"""The answers of {name}: what students write, tested and hidden."""\n\n{computing}\n'
        + plots * "from matplotlib.figure import Figure\n"
        + f"\n__all__ = [\n{public}]\n"
    )
    for kind in kinds:
        module += ("\n" if kind.reference.startswith("\ndef") else "") + kind.reference
    return notebook, {kind.question: kind.bank for kind in kinds}, module
