"""First questions that are measured: what `autograder new --kind` writes of each kind."""

from autograder.compiler.answer_skeletons import KindSkeleton

__all__ = ["MEMORY", "SPEED", "TRAINING"]

SPEED = KindSkeleton(
    question="nearest_rows",
    uses=("assert_equal", "assert_fast"),
    reference='''
def nearest_rows(x: np.ndarray) -> np.ndarray:
    """Return for each row the number of the other row that is nearest to it.

    Args:
        x: (n, d) rows, at least two.

    Returns:
        (n,) whole numbers; the distance is the Euclidean one.
    """
    squares = (x * x).sum(axis=1)
    distances = squares[:, None] + squares - 2 * x @ x.T
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)
''',
    cells='''
# %% [markdown]
# ## {number} Nearest rows, fast (4 points)
# For each row of a matrix, find the other row that is nearest to it. Half of the points are for
# speed: a loop over pairs of rows is too slow.

# %%
from reference.{name} import nearest_rows

# %%
@check("nearest_rows", points=2, pure=True, hint="Is a row its own neighbour?")
@case("four rows", n=4, d=2)
@case("two rows", n=2, d=3, hidden=True)
@case("many rows", n=30, d=7, hidden=True)
def nearest_rows_matches_reference(student, reference, rng, n, d):
    """nearest_rows finds the nearest other row of each."""
    x = rng.normal(size=(n, d))
    assert_equal(student.nearest_rows(x), reference.nearest_rows(x), what="rows")


self_check(nearest_rows_matches_reference)


@check("nearest_rows", points=2, hint="One product of matrices has all inner products.")
@case("four hundred rows", n=400, d=5, hidden=True)
def nearest_rows_is_fast(student, reference, rng, n, d):
    """nearest_rows takes no longer than 30 times the reference; it is timed at grading."""
    assert_fast(
        student.nearest_rows,
        reference.nearest_rows,
        lambda: [rng.normal(size=(n, d))],
        within=30,
        what="rows",
    )
''',
    bank="""import numpy as np

from autograder import alternative, mistake

mistake("each row is its own neighbour", edit=("np.fill_diagonal(distances, np.inf)", "pass"))
mistake("the largest inner product", edit=("squares[:, None] + squares - 2", "-2"))


@mistake("one loop in another")
def _(x):
    found = []
    for i, row in enumerate(x):
        far = [np.inf if i == j else ((row - other) ** 2).sum() for j, other in enumerate(x)]
        found.append(np.argmin(far))
    return np.array(found)


@alternative("a loop over the rows")
def _(x):
    found = []
    for i, row in enumerate(x):
        far = ((x - row) ** 2).sum(axis=1)
        far[i] = np.inf
        found.append(far.argmin())
    return np.array(found)
""",
)

TRAINING = KindSkeleton(
    question="fit_and_predict",
    uses=("assert_learnt", "held_out"),
    reference='''
def fit_and_predict(
    inputs: np.ndarray, labels: np.ndarray, new_inputs: np.ndarray
) -> np.ndarray:
    """Train a linear classifier, and return what it says of other inputs.

    Args:
        inputs: (n, d) examples.
        labels: (n,) 0 or 1.
        new_inputs: (m, d) examples without labels.

    Returns:
        (m,) the label of each new example, 0 or 1.
    """
    # survives: what is judged is the result, and other starts, steps and rates learn as well
    weights, bias = np.zeros(inputs.shape[1]), 0.0
    # survives: likewise
    for _ in range(200):
        # survives: likewise
        errors = 1 / (1 + np.exp(-(inputs @ weights + bias))) - labels
        # survives: likewise
        weights -= 0.2 * inputs.T @ errors / len(inputs)
        # survives: likewise
        bias -= 0.2 * errors.mean()
    # survives: a few examples at the border make no difference
    return (new_inputs @ weights + bias > 0).astype(int)
''',
    cells='''
# %% [markdown]
# ## {number} A classifier that learns (3 points)
# Train a classifier on examples with labels, and predict the labels of others. It must be right on
# 90 % of them, in 10 seconds. Half of the points are for data that no line through 0 separates.

# %%
from reference.{name} import fit_and_predict

# %%
def clouds(rng, n, shift):
    """Return two clouds of points whose centres lie 4 apart, both moved away from 0."""
    labels = rng.integers(0, 2, n)
    inputs = rng.normal(size=(n, 5))
    inputs[:, 0] += 4 * labels - 2 + shift
    return inputs, labels


@check("fit_and_predict", points=3, seconds=10, hint="Does the loss go down? Is there a bias?")
@case("clouds around 0", shift=0.0)
@case("clouds on one side", shift=3.0, hidden=True)
def fit_and_predict_is_right_on_new_data(student, reference, rng, shift):
    """fit_and_predict learns, and is right on 90 % of the examples that it has not seen."""
    data = held_out(rng, *clouds(rng, 400, shift))
    got = student.fit_and_predict(data.inputs, data.targets, data.held_inputs)
    assert_learnt(got, data.held_targets, at_least=0.9)


self_check(fit_and_predict_is_right_on_new_data)
''',
    bank="""import numpy as np

from autograder import alternative, mistake

mistake("nothing is learnt", edit=("range(200)", "range(0)"))
mistake("climbs: add the gradient", edit=("weights -= 0.2", "weights += 0.2"))
mistake("no bias", edit=("bias -= 0.2 * errors.mean()", "bias = 0.0"))


@mistake("labels of the examples that it was trained on")
def _(inputs, labels, new_inputs):
    return np.resize(labels, len(new_inputs))


@alternative("the nearer of two means")
def _(inputs, labels, new_inputs):
    means = [inputs[labels == label].mean(axis=0) for label in (0, 1)]
    far = [((new_inputs - mean) ** 2).sum(axis=1) for mean in means]
    return np.argmin(far, axis=0)
""",
)

MEMORY = KindSkeleton(
    question="mean_square",
    uses=("assert_close", "assert_memory", "measured"),
    reference='''
def mean_square(x: np.ndarray) -> float:
    """Return the mean of the squares, without a second array of that size.

    Args:
        x: (n,) numbers.
    """
    return float(x @ x) / len(x)
''',
    cells='''
# %% [markdown]
# ## {number} A mean without copies (2 points)
# Compute the mean of the squares of a large array. A second array of that size is too much memory.

# %%
from reference.{name} import mean_square

# %%
@check("mean_square", points=1)
@case("five numbers", n=5)
@case("a thousand numbers", n=1000, hidden=True)
def mean_square_matches_reference(student, reference, rng, n):
    """mean_square is the mean of the squares."""
    x = rng.normal(size=n)
    assert_close(student.mean_square(x), reference.mean_square(x), what="mean")


self_check(mean_square_matches_reference)


@check("mean_square", points=1, seconds=10, hint="Which operation multiplies and adds at once?")
@case("forty megabytes", n=5_000_000, hidden=True)
def mean_square_takes_little_memory(student, reference, rng, n):
    """mean_square makes no array of the size of its argument; that is measured at grading."""
    x = rng.random(n)
    got, spent = measured(student.mean_square, x)
    assert_close(got, reference.mean_square(x), what="mean")
    assert_memory(spent, peak=0.5 * x.nbytes, kept=0)
''',
    bank="""import numpy as np

from autograder import alternative, mistake

_kept = []

mistake("the square of the mean", edit=("float(x @ x) / len(x)", "float(x.mean()) ** 2"))
mistake("an array of the squares", edit=("float(x @ x) / len(x)", "float((x**2).mean())"))


@mistake("keeps a copy of every array that it gets")
def _(x):
    _kept[:] = [*_kept[-2:], x.copy()]
    return float(x @ x) / len(x)


@alternative("in blocks")
def _(x):
    return sum(float(np.sum(x[i : i + 4096] ** 2)) for i in range(0, len(x), 4096)) / len(x)
""",
)
