"""The first version of a new assignment: small, and complete enough to compile."""

from pathlib import Path

from autograder.course import Course
from autograder.errors import UsageError, naming

__all__ = ["write_skeleton"]

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


def write_skeleton(course: Course, name: str) -> tuple[Path, Path, Path]:
    """Write a new assignment's source notebook, a bank, and its module of the reference.

    Returns:
        Their paths.

    Raises:
        UsageError: the name cannot be one, or something of that name is there already.
    """
    if not name.isidentifier() or not name.isascii():
        raise UsageError(f"{name!r} cannot be the name of an assignment; use a_z, 0-9 and _")
    source = course.root / "assignments" / name / f"{name}.py"
    bank = source.parent / "bank" / f"{_FUNCTION}.py"
    reference = course.root / "reference" / f"{name}.py"
    for path in (source.parent, reference):
        if path.exists():
            raise UsageError(f"{course.relative(path)} is there already")
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "function": _FUNCTION}
    for path, text in ((source, _SOURCE), (bank, _BANK), (reference, _REFERENCE)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming(path):
            path.write_text(text.format(**words), encoding="utf-8")
    return source, bank, reference
