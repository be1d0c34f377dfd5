"""A small course, written into a temporary folder and changed by each test."""

import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from autograder.artefacts.proof import proof_file
from autograder.audit.publish import audit_only, compile_and_publish
from autograder.course import Course

REFERENCE = '''"""The answers."""

import numpy as np

# Which of A and B is right?
choice = "the second of two choices"


def scaled_sum(x: np.ndarray, factor: float = 2.0) -> float:
    """Return the sum of x times a factor.

    Args:
        x: (n,) numbers.
    """
    total = x.sum()
    return factor * total
'''

SOURCE = '''# %% [markdown]
# # Small homework

# %%
import numpy as np

from autograder import assert_close, assert_equal, case, check, self_check

# %% [markdown]
# ## 1 A scaled sum
# Add up and scale.

# %%
from reference.small import scaled_sum

# %%
@check("scaled_sum", points=4, pure=True, hint="mind the default of the factor")
@case("three numbers", n=3)
@case("many numbers, hidden", hidden=True, n=40)
def scaled_sum_matches_reference(student, reference, rng, n):
    """scaled_sum adds up and scales."""
    x = rng.normal(size=n)
    assert_close(student.scaled_sum(x), reference.scaled_sum(x), what="sum")

# %% [markdown]
# ## 2 A choice (1 point)

# %%
from reference.small import choice

# %%
@check("choice", points=1)
@case("the right one, hidden", hidden=True)
def choice_is_right(student, reference, rng):
    """choice is the right one."""
    assert_equal(student.choice, reference.choice)

# %% [markdown]
# ## 3 A proof (2 points)

# %% [markdown] manual=true question="proof" points=2
# ### BEGIN SOLUTION
# The example answer says that addition commutes with scaling.
# ### END SOLUTION
# === BEGIN MARK SCHEME ===
# - 2 points for naming distributivity of the product
# === END MARK SCHEME ===
'''


BANK_OF_SUM = """from autograder import alternative, mistake


@mistake("the factor is forgotten altogether")
def _(x, factor=2.0):
    return x.sum()


@alternative("scale first, add up afterwards")
def _(x, factor=2.0):
    return (factor * x).sum()
"""

BANK_OF_CHOICE = """from autograder import alternative, mistake

mistake("the first of the two choices", choice="the first of two choices")
alternative("as the reference has it", choice="the second of two choices")
"""


def small_course(
    root: Path, *changes: tuple[str, str], banks: Mapping[str, str] | None = None
) -> Course:
    """Write the small course into a folder, with pieces of its texts replaced.

    Args:
        root: the folder.
        changes: what stands in some text, and what takes its place.
        banks: of further questions, by the question.
    """
    texts = {
        root / "reference" / "small.py": REFERENCE,
        root / "assignments" / "small" / "small.py": SOURCE,
        root / "assignments" / "small" / "bank" / "scaled_sum.py": BANK_OF_SUM,
        root / "assignments" / "small" / "bank" / "choice.py": BANK_OF_CHOICE,
    }
    for old, new in changes:
        assert any(old in text for text in texts.values()), f"no {old!r} to replace"
        texts = {path: text.replace(old, new) for path, text in texts.items()}
    for question, text in (banks or {}).items():
        texts[root / "assignments" / "small" / "bank" / f"{question}.py"] = text
    (root / "course.toml").write_text('name = "Small"\n')
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Course(root, "Small")


@pytest.fixture
def write_course(tmp_path: Path) -> Callable[..., Course]:
    """Return a function that writes the small course, with pieces of its texts replaced."""
    return lambda *changes, **banks: small_course(tmp_path, *changes, **banks)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is made once for all processes of a parallel run; none may change it.

    Args:
        factory: of the run's temporary folders.
        name: of the folder, one for each thing that is made.
        make: fills a folder, which is then put in its place.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / f"once-{name}"
    with (base / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():  # what failed half-way is made again
            make(making := factory.mktemp(name))
            making.rename(folder)
    return folder


@pytest.fixture(scope="session")
def small_proof(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the proof of the small course, made once for the processes of a parallel run."""

    def make(root: Path) -> None:
        audit_only(small_course(root), "small", lambda _: None, jobs=2)

    root = made_once(tmp_path_factory, "proven", make)
    return proof_file(Course(root, "Small"), "small").read_bytes()


@pytest.fixture
def write_proven_course(tmp_path: Path, small_proof: bytes) -> Callable[..., Course]:
    """Return a function like that of `write_course`; only what a test changes is proven again."""

    def write(*changes: tuple[str, str], **banks: Mapping[str, str]) -> Course:
        course = small_course(tmp_path, *changes, **banks)
        proof_file(course, "small").write_bytes(small_proof)
        return course

    return write


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory, small_proof: bytes) -> Path:
    """Return the folder of a compiled course in which nobody has submitted; a test copies it."""

    def make(root: Path) -> None:
        course = small_course(root)
        proof_file(course, "small").write_bytes(small_proof)
        compile_and_publish(course, "small", lambda _: None)

    return made_once(tmp_path_factory, "compiled", make)
