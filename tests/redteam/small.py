"""The zoo's own assignment for the tests: small, without torch, with each kind of check."""

from pathlib import Path

from autograder.course import Course
from tests.small_course import BANK_OF_CHOICE, BANK_OF_SUM, REFERENCE, SOURCE

__all__ = ["NAME", "write_small_course"]

NAME = "small"

MORE_REFERENCE = '''

def centred(x: np.ndarray) -> np.ndarray:
    """Return x without the mean of each column.

    Args:
        x: (n, d) numbers.
    """
    return x - x.mean(axis=0)


def spread(x: np.ndarray) -> np.ndarray:
    """Return the root of the mean square of each centred column of x.

    Args:
        x: (n, d) numbers.
    """
    return np.sqrt((centred(x) ** 2).mean(axis=0))


def walk(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return the sums of 1, 2, … n draws from the standard normal distribution."""
    return np.cumsum(rng.normal(size=n))
'''

MORE_SOURCE = '''
# %% [markdown]
# ## 4 Centred columns (3 points)

# %%
from reference.small import centred

# %%
@check("centred", points=3)
@case("a matrix", shape=(4, 3))
@case("a tall matrix, hidden", hidden=True, shape=(9, 2))
def centred_matches_reference(student, reference, rng, shape):
    """centred takes away the mean of each column."""
    x = rng.normal(size=shape) + 1.0
    assert_close(student.centred(x), reference.centred(x), what="matrix")

# %% [markdown]
# ## 5 Spread (2 points)

# %%
from reference.small import spread

# %%
@check("spread", points=2, given=["centred"])
@case("a matrix", shape=(5, 2))
@case("a wide matrix, hidden", hidden=True, shape=(3, 6))
def spread_matches_reference(student, reference, rng, shape):
    """spread is the standard deviation of each column."""
    x = rng.normal(size=shape)
    assert_close(student.spread(x), reference.spread(x), what="spread")

# %% [markdown]
# ## 6 A random walk (2 points)

# %%
from reference.small import walk

# %%
def walk_with_seed(notebook, seed, n):
    return notebook.walk(np.random.default_rng(seed), n)

@check("walk", points=2)
@case("five steps", n=5)
@case("many steps, hidden", hidden=True, n=30)
def walk_matches_reference(student, reference, rng, n):
    """walk adds up its draws."""
    seed = int(rng.integers(2**31))
    got = student.apply(walk_with_seed, seed, n)
    assert_close(got, reference.apply(walk_with_seed, seed, n), what="walk")

'''

BANKS = {
    "centred": """import numpy as np

from autograder import alternative, mistake


@mistake("one mean of all numbers")
def _(x):
    return x - x.mean()


@alternative("by a projection")
def _(x):
    return x - np.ones((len(x), 1)) @ x.mean(axis=0, keepdims=True)
""",
    "spread": """from assignment import centred
from autograder import alternative, mistake


@mistake("the root is forgotten")
def _(x):
    return (centred(x) ** 2).mean(axis=0)


@alternative("numpy's own")
def _(x):
    return x.std(axis=0)
""",
    "walk": """import numpy as np

from autograder import alternative, mistake


@mistake("the draws are not added up")
def _(rng, n):
    return rng.normal(size=n)


@alternative("draw by draw")
def _(rng, n):
    sums = [rng.normal()]
    for _ in range(n - 1):
        sums.append(sums[-1] + rng.normal())
    return np.array(sums)
""",
}

LIMITS = """\
name = "Zoo"

[limits]
cell_seconds = 0.6
call_seconds = 0.3
submission_seconds = 3.5
cpu_seconds = 5
memory_mb = 512
file_mb = 16
processes = 32
message_mb = 8
"""


def write_small_course(root: Path) -> Course:
    """Write the small course into a folder; it is still to be compiled."""
    folder = root / "assignments" / NAME
    texts = {
        root / "reference" / "small.py": REFERENCE + MORE_REFERENCE,
        folder / f"{NAME}.py": SOURCE + MORE_SOURCE,
        root / "course.toml": LIMITS,
    }
    banks = {"scaled_sum": BANK_OF_SUM, "choice": BANK_OF_CHOICE, **BANKS}
    texts |= {folder / "bank" / f"{question}.py": text for question, text in banks.items()}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Course(root, "Zoo")
