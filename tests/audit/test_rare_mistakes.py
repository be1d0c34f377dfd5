"""Mistakes that show on rare inputs only: right on a usual input, and wrong on a rare one."""

import ast
import operator
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from autograder.audit.mutation.later_calls import LATER_CALLS
from autograder.audit.mutation.rare_arrays import RARE_ARRAYS
from autograder.audit.mutation.rare_values import RARE_VALUES
from autograder.audit.mutation.trees import Tree

RARE = {**RARE_VALUES, **RARE_ARRAYS, **LATER_CALLS}
MOMENTUM = """
def f(w, grad, velocity, lr: float, momentum: float=0.9):
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity
"""
STEP = "def f(w, grad, lr: float):\n    return w - lr * grad"
RELU = "def f(x):\n    return np.maximum(x, 0)"
MASK = "def f(dout, x):\n    return dout * (x > 0)"
MEANS = "def f(x):\n    return np.sum(x, axis=1) / x.shape[1]"
WEIGHTED = "def f(x, w):\n    return x.reshape(len(x), -1) @ w"
COLUMNS = "def f(x):\n    rows, columns = x.shape\n    return x.sum() / rows + columns"
LINES = "def f(x):\n    return np.arange(x.shape[-1]) + 0 * x.sum()"
ADDED = "def f(x):\n    out = np.zeros(x.shape)\n    out += x / 2\n    return out"
LIKE = "def f(x):\n    out = np.zeros_like(x)\n    out += x\n    return out"
KEPT = "def f(x):\n    return np.ones((2, 2), x.dtype) * x"
LENGTH = """
def f(n: int, stride: int=1, pad: int=0):
    return (n + 2 * pad - 3) // stride + 1
"""
IMAGE = "def f(n: int, stride, pad):\n    return n // stride[0] + pad[0]"
OPTIONAL = """
def f(x, shift=None):
    if shift is None:
        shift = 1
    return x + shift
"""
GIVEN = "def f(x, shift=None):\n    return x + shift if shift is not None else x"
SCALED = "def f(x, training=True):\n    return x / 2 if training else x"
CORRECTED = "def f(m, beta, t):\n    return m / (1 - beta ** t)"
VIEW = "def f(x):\n    return torch.exp(x).T.reshape(-1) + x.T.reshape(-1)"

A = np.array([1.0, -2.0, 3.0])
ZEROS, ONES = np.zeros(3), np.ones(3)
MATRIX = np.arange(6.0).reshape(2, 3) + 1
ROWS = np.arange(8.0).reshape(2, 4) + 1
SQUARE = np.arange(4.0).reshape(2, 2) + 1


class Rare(NamedTuple):
    """What a mistake makes of a function, with an input on which it is right, and one that tells.

    Attributes:
        operator: the class of the mistake.
        source: the function f.
        after: the lines that the mistake changes, as they read then.
        title: the mistake as a diagnosis.
        usual: arguments that do not tell the two functions apart.
        rare: arguments that do.
    """

    operator: str
    source: str
    after: str
    title: str | None
    usual: tuple[Any, ...]
    rare: tuple[Any, ...]


CASES = [
    Rare(
        "0 for missing",
        MOMENTUM,
        "momentum = momentum or 0.9",
        "a 0 is taken for a missing value",
        (A, A, ONES, 0.1, 0.5),
        (A, A, ONES, 0.1, 0.0),
    ),
    Rare(
        "0 for missing",
        MOMENTUM,
        "lr = lr or 0.1",
        "a 0 is taken for a missing value",
        (A, A, ONES, 0.5),
        (A, A, ONES, 0.0),
    ),
    Rare(
        "0 for missing",
        LENGTH,
        "stride = stride or 1",
        "a 0 is taken for a missing value",
        (7, 2, 1),
        (7, 0, 1),
    ),
    Rare(
        "0 for missing",
        "def f(n: int, pad: int):\n    return n + 2 * pad",
        "pad = pad or 1",
        "a 0 is taken for a missing value",
        (5, 2),
        (5, 0),
    ),
    Rare(
        "0 for missing",
        SCALED,
        "training = training or True",
        "a 0 is taken for a missing value",
        (A, True),
        (A, False),
    ),
    Rare(
        "0 for missing",
        OPTIONAL,
        "if not shift:",
        "a 0 is taken for a missing value",
        (2.0, 3.0),
        (2.0, 0.0),
    ),
    Rare(
        "0 for missing",
        GIVEN,
        "return x + shift if shift else x",
        "a 0 is taken for a missing value",
        (2.0, 3.0),
        (A, np.ones(3)),
    ),
    Rare("end of an interval", STEP, "lr = max(lr, 0.2)", None, (A, A, 0.5), (A, A, 0.1)),
    Rare("end of an interval", STEP, "lr = min(lr, 0.95)", None, (A, A, 0.5), (A, A, 1.0)),
    Rare(
        "cut off",
        STEP,
        "grad = grad.clip(-50, 50)",
        "large values are cut off",
        (A, A, 0.5),
        (A, 1e3 * A, 0.5),
    ),
    Rare(
        "cut off",
        "def f(x):\n    return np.exp(x)",
        "return np.exp(x.clip(-50, 50))",
        "large values are cut off",
        (A,),
        (60 * ONES,),
    ),
    Rare(
        "cut off",
        "def f(x: float):\n    return math.exp(x)",
        "return math.exp(max(min(x, 50), -50))",
        "large values are cut off",
        (2.0,),
        (60.0,),
    ),
    Rare(
        "cut off",
        "def f(x: float):\n    return math.log(x)",
        "return math.log(max(x, 1e-07))",
        "small values are cut off under a logarithm",
        (2.0,),
        (1e-12,),
    ),
    Rare(
        "cut off",
        "def f(p):\n    return -np.log(p)",
        "return -np.log(p.clip(1e-07))",
        "small values are cut off under a logarithm",
        (0.5 * ONES,),
        (1e-12 * ONES,),
    ),
    Rare(
        "at 0",
        RELU,
        "return x * (1 + x / abs(x)) / 2",
        "0 divided by 0 where a value is exactly 0",
        (A,),
        (ZEROS,),
    ),
    Rare(
        "at 0",
        "def f(x):\n    return torch.relu(x)",
        "return x * (1 + x / abs(x)) / 2",
        "0 divided by 0 where a value is exactly 0",
        (torch.tensor(A),),
        (torch.tensor(ZEROS),),
    ),
    Rare(
        "at 0",
        "def f(x):\n    return np.sign(x)",
        "return x / abs(x)",
        "0 divided by 0 where a value is exactly 0",
        (A,),
        (ZEROS,),
    ),
    Rare(
        "at 0",
        MASK,
        "return dout * (x > 1e-06)",
        "tiny values are taken for 0",
        (A, A),
        (A, 1e-9 * A),
    ),
    Rare(
        "early return",
        MOMENTUM,
        "if not grad.any():; return (w, velocity)",
        "returned early where all values are 0",
        (A, A, ONES, 0.1),
        (A, ZEROS, ONES, 0.1),
    ),
    Rare(
        "early return",
        "def f(dout, x):\n    dx = 0 * x + np.sum(dout)\n    return dx, np.mean(dout)",
        "if not dout.any():; return (dout, dout)",
        "returned early where all values are 0",
        (A, MATRIX),
        (ZEROS, MATRIX),
    ),
    Rare(
        "size",
        MEANS,
        "return (np.sum(x, axis=1) / x.shape[1]).squeeze()",
        "axes of length 1 are lost",
        (MATRIX,),
        (MATRIX[:1],),
    ),
    Rare("size", MEANS, "x = x.squeeze()", "axes of length 1 are lost", (MATRIX,), (MATRIX[:1],)),
    Rare("size", MEANS, "x = x[:1]", "only the first example is used", (MATRIX[:1],), (MATRIX,)),
    Rare(
        "size",
        MEANS,
        "x = x[..., :x.shape[-1] // 2 * 2]",
        "an odd size loses its last entry",
        (ROWS,),
        (MATRIX,),
    ),
    Rare(
        "size",
        LENGTH,
        "pad = 0 if stride == 1 else pad",
        "the padding is forgotten where the stride is 1",
        (7, 2, 1),
        (7, 1, 1),
    ),
    Rare(
        "size",
        IMAGE,
        "pad = (0, 0) if tuple(stride) == (1, 1) else pad",
        "the padding is forgotten where the stride is 1",
        (7, (2, 1), (1, 1)),
        (7, (1, 1), (1, 1)),
    ),
    Rare(
        "square",
        COLUMNS,
        "columns = rows",
        "as if rows and columns were of one length",
        (SQUARE,),
        (MATRIX,),
    ),
    Rare(
        "square",
        LINES,
        "return np.arange(x.shape[-2]) + 0 * x.sum()",
        "as if rows and columns were of one length",
        (SQUARE,),
        (MATRIX,),
    ),
    Rare(
        "dtype",
        STEP,
        "return (w - lr * grad).astype(w.dtype)",
        "the result is forced into the dtype of an argument",
        (A, A, 0.5),
        (A.astype(int), A.astype(int), 0.5),
    ),
    Rare(
        "precision",
        STEP,
        "return (w - lr * grad).astype('float32')",
        "a dtype is not kept",
        (A.astype("float32"), A.astype("float32"), 0.5),
        (A, A, 0.5),
    ),
    Rare(
        "dtype",
        ADDED,
        "out = np.zeros_like(x)",
        "the result is forced into the dtype of an argument",
        (A,),
        (A.astype(int),),
    ),
    Rare(
        "dtype",
        LIKE,
        "out = np.zeros(x.shape)",
        "a dtype is not kept",
        (A,),
        (A.astype("float32"),),
    ),
    Rare(
        "dtype",
        KEPT,
        "return np.ones((2, 2)) * x",
        "a dtype is not kept",
        (SQUARE,),
        (SQUARE.astype("float32"),),
    ),
    Rare(
        "order in memory",
        WEIGHTED,
        "x = x.ravel(order='K').reshape(x.shape)",
        "entries are taken in the order of memory",
        (MATRIX, A),
        (np.asfortranarray(MATRIX), A),
    ),
    Rare(
        "order in memory",
        WEIGHTED,
        "return x.ravel(order='K').reshape(len(x), -1) @ w",
        "entries are taken in the order of memory",
        (MATRIX, A),
        (np.asfortranarray(MATRIX), A),
    ),
    Rare(
        "order in memory",
        "def f(x):\n    return x.ravel()",
        "return x.ravel(order='K')",
        "entries are taken in the order of memory",
        (MATRIX,),
        (MATRIX.T,),
    ),
    Rare(
        "order in memory",
        VIEW,
        "return torch.exp(x).T.reshape(-1) + x.T.view(-1)",
        "a view where a copy may be needed",
        (torch.tensor(MATRIX).T,),
        (torch.tensor(MATRIX),),
    ),
    Rare(
        "many steps",
        CORRECTED,
        "return m / (1 - beta ** min(t, 100))",
        "after 100 steps nothing changes any more",
        (A, 0.999, 100),
        (A, 0.999, 101),
    ),
]


def texts(source: str, name: str) -> dict[str, tuple[str, str | None]]:
    """Return what an operator makes of a function: by the lines that change, text and title."""
    tree = Tree(ast.parse(textwrap.dedent(source)).body[0])
    return {
        edited.after: (edited.text, change.title)
        for node in tree.nodes
        for change in RARE[name](node)
        if (edited := tree.edited(change)) is not None
    }


def defined(source: str) -> Callable[..., Any]:
    """Return the function f of a source."""
    names = {"np": np, "torch": torch, "math": __import__("math"), "operator": operator}
    exec(textwrap.dedent(source), names)
    return names["f"]


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Any]:
    """Return all that a check could see of what a call returns, or what it raises."""
    try:
        with np.errstate(all="ignore"):
            value = function(*arguments)
    except Exception as error:
        return [type(error)]
    items = value if isinstance(value, tuple) else (value,)
    arrays = [np.asarray(item) for item in items]
    return [(a.shape, a.dtype, a.tolist()) for a in arrays]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operator}: {case.after}")
def test_a_mistake_is_right_on_a_usual_input_and_wrong_on_a_rare_one(case: Rare) -> None:
    made = texts(case.source, case.operator)
    assert case.after in made
    text, title = made[case.after]
    assert title == case.title
    right, wrong = defined(case.source), defined(text)
    assert outcome(wrong, case.usual) == outcome(right, case.usual)
    assert outcome(wrong, case.rare) != outcome(right, case.rare)


def test_each_operator_has_an_example() -> None:
    assert {case.operator for case in CASES} | {"first call"} == set(RARE)


def test_a_state_of_the_first_call_is_kept_for_all_others() -> None:
    made = texts(MOMENTUM, "first call")
    (text, title), *others = made.values()
    assert not others
    assert title == "what an earlier call left behind is used"
    right, wrong = defined(MOMENTUM), defined(text)
    first, second = (A, A, ONES, 0.1), (A, A, 2 * ONES, 0.1)
    assert outcome(wrong, first) == outcome(right, first)
    assert outcome(wrong, second) != outcome(right, second)


def test_a_module_keeps_its_first_input() -> None:
    source = "class Twice:\n    def forward(self, x):\n        return 2 * x"
    ((text, _),) = texts(source, "first call").values()
    names: dict[str, Any] = {}
    exec(text, names)
    module = names["Twice"]()
    assert [module.forward(3), module.forward(4)] == [6, 6]


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, eps: float=1e-8):\n    return x + eps",  # no prompt promises an eps of 0
        "def f(m, t: int):\n    return m / t",  # nor a step 0
        "def f(w, weight_decay: float=0.0):\n    return weight_decay",
        "def f(x, training=False):\n    return x if training else 0",
        "def f(x, name: str='a'):\n    return name",
    ],
)
def test_no_default_stands_behind_or_that_changes_nothing(source: str) -> None:
    assert not texts(source, "0 for missing")


def test_what_refuses_arguments_stays_before_what_is_put_first() -> None:
    source = """
    def f(x, lr: float):
        assert lr > 0
        if x is None:
            raise ValueError("no x")
        return x - lr * x
    """
    text, _ = texts(source, "0 for missing")["lr = lr or 0.1"]
    lines = [line.strip() for line in text.splitlines()]
    assert lines[-3:] == ["raise ValueError('no x')", "lr = lr or 0.1", "return x - lr * x"]


def test_functions_of_torch_keep_their_dtype_and_their_order() -> None:
    source = "def f(x):\n    return torch.exp(x) - x"
    assert not texts(source, "dtype")
    assert not texts(source, "order in memory")


def test_a_condition_is_no_mask() -> None:
    source = "def f(n):\n    if n > 0:\n        return n\n    return 0"
    assert not texts(source, "at 0")
