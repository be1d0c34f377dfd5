"""What each operator makes of a line of code."""

import ast
import textwrap

import pytest

from autograder.audit.mutation.common_mistakes import COMMON_MISTAKES
from autograder.audit.mutation.operators import OPERATORS
from autograder.audit.mutation.trees import Tree

ALL = {**COMMON_MISTAKES, **OPERATORS}


def mutants(source: str, name: str | None = None) -> dict[str, str | None]:
    """Return what operators make of a definition: the lines that change, and their titles."""
    tree = Tree(ast.parse(textwrap.dedent(source)).body[0])
    found: dict[str, str | None] = {}
    for operator, mutate in ALL.items():
        for node in tree.nodes:
            for change in mutate(node) if name in (None, operator) else ():
                edited = tree.edited(change)
                if edited is not None:
                    found.setdefault(edited.after, change.title)
    return found


def of(expression: str, name: str | None = None) -> dict[str, str | None]:
    """Return what operators make of an expression that a function returns."""
    made = mutants(f"def f(x, w, v, eps, n):\n    return {expression}", name)
    return {text.removeprefix("return "): title for text, title in made.items()}


@pytest.mark.parametrize(
    ("operator", "before", "after", "title"),
    [
        ("sign", "x + w", "x - w", "a sign is flipped"),
        ("sign", "-x", "x", "a sign is flipped"),
        ("sign", "x", "-x", "a sign is flipped"),
        ("left out", "x + w", "w", "a term is left out"),
        ("left out", "x * w", "x", "a factor is left out"),
        ("left out", "x / w", "x", "a division is left out"),
        ("left out", "v + eps", "v", "eps is left out"),
        ("left out", "v + 1e-8", "v", "eps is left out"),
        ("left out", "x - x.max(axis=1)", "x", "large inputs overflow"),
        ("factor", "x + w", "2 * (x + w)", "a factor of two too much"),
        ("quotient", "x / w", "w / x", "a quotient is upside down"),
        ("power", "x ** 2", "x", "a square is left out"),
        ("constant", "0.5", "0.25", None),
        ("constant", "f(x, create_graph=True)", "f(x, create_graph=False)", None),
        ("loop", "x[n:]", "x[n + 1:]", "off by one"),
        ("loop", "x[n:]", "x[:]", "a slice begins too early"),
        ("loop", "x[0]", "x[1]", "off by one"),
        ("loop", "range(n)", "range(1, n)", "off by one"),
        ("comparison", "x < w", "x <= w", "a border case is on the wrong side"),
        ("comparison", "x is w", "x is not w", "a comparison is turned around"),
        ("branch", "x and w", "x or w", "one condition for two, or two for one"),
        ("branch", "x and w", "w", "part of a condition is left out"),
        ("branch", "not x", "x", "a condition is turned around"),
        ("branch", "x if n else w", "x if False else w", "a special case is left out"),
        ("order", "np.where(n, x, w)", "np.where(n, w, x)", "two arguments are swapped"),
        ("order", "(x, w)", "(w, x)", "two values are in the wrong order"),
        ("mean and sum", "x.mean(axis=0)", "x.sum(axis=0)", "the sum where the mean is meant"),
        ("mean and sum", "np.floor(x)", "np.ceil(x)", "rounded up where it is cut off"),
        ("mean and sum", "x.argmax()", "x.argmin()", "the smallest where the largest is meant"),
        ("mean and sum", "x.eval()", "x.train()", "training and evaluation are swapped"),
        ("function left out", "np.sqrt(x)", "x", "a square root is left out"),
        ("function left out", "x.detach()", "x", "gradients flow where they are to be cut off"),
        ("function left out", "np.maximum(x, 0)", "x", "a bound is left out"),
        ("axis", "x.sum(axis=1)", "x.sum(axis=0)", "along a wrong axis"),
        ("axis", "x.sum(axis=1)", "x.sum()", "along all axes at once"),
        ("axis", "x.sum(keepdims=True)", "x.sum()", "a reduced axis is not kept"),
        ("shape", "x.shape[0]", "x.shape[1]", "the length of another axis"),
        ("shape", "len(x)", "x.shape[1]", "the length of another axis"),
        ("transpose", "x.T", "x", "a transpose is left out"),
        ("transpose", "x @ w", "w @ x", "the factors of a product are swapped"),
        (
            "transpose",
            "np.einsum('ij,jk->ik', x, w)",
            "np.einsum('ij,jk->ki', x, w)",
            "two axes are mixed up",
        ),
        ("eps", "np.sqrt(v) + eps", "np.sqrt(v + eps)", "eps inside the root"),
        ("eps", "np.sqrt(v + eps)", "np.sqrt(v) + eps", "eps outside of the root"),
        ("eps", "v ** 0.5 + 1e-8", "(v + 1e-08) ** 0.5", "eps inside the root"),
        ("variance", "x.var()", "x.var(ddof=1)", "the variance with n - 1"),
        ("variance", "x.var(unbiased=False)", "x.var(unbiased=True)", "the variance with n - 1"),
        ("mode", "x.training", "not x.training", "training and evaluation are swapped"),
        ("gradient", "torch.exp(x)", "torch.exp(x).detach()", "gradients are cut off"),
        ("in place", "x - w", "operator.isub(x, w)", "an argument is changed in place"),
        ("in place", "2 * x", "operator.imul(x, 2)", "an argument is changed in place"),
    ],
)
def test_an_operator_makes_a_mistake(
    operator: str, before: str, after: str, title: str | None
) -> None:
    made = of(before, operator)
    assert after in made
    assert made[after] == title


def test_the_time_of_a_step_is_off_by_one() -> None:
    made = mutants("def f(m, b, t):\n    return m / (1 - b ** t)", "time")
    assert set(made) == {"return m / (1 - b ** (t + 1))", "return m / (1 - b ** (t - 1))"}


def test_statements_are_left_out_and_swapped_where_that_matters() -> None:
    source = """
    def f(x):
        total = 0
        other = 1
        for one in x:
            total += one
            total *= other
        return total
    """
    made = mutants(source, "statement")
    assert made["total = one"] == "what should add up is overwritten"
    assert made["pass"] == "a step is left out"
    assert made["total *= other; total += one"] == "two steps are in the wrong order"
    assert "other = 1; total = 0" not in made


def test_what_was_is_used_for_what_is() -> None:
    made = mutants("def f(w, v):\n    v = 0.9 * v + w\n    return w - v, v", "old value")
    assert "v_before, v = (v, 0.9 * v + w); return (w - v_before, v)" in made


def test_gradients_are_recorded_where_they_are_not_to_be() -> None:
    made = mutants(
        "@torch.no_grad()\ndef f(x):\n    with torch.no_grad():\n        x += 1\n    g()"
    )
    recorded = "gradients are recorded where they are not to be"
    assert made["if True:"] == recorded
    assert made[""] == recorded  # the decorator is gone


def test_axes_that_a_shape_is_unpacked_into_are_mixed_up() -> None:
    made = mutants("def f(x):\n    n, d = x.shape\n    return n", "shape")
    assert made == {"d, n = x.shape": "two axes are mixed up"}


def test_what_computes_nothing_and_what_the_stub_gives_stays() -> None:
    source = '''
    class A:
        """Return 1 + 1."""

        def f(self, x: "1 + 1", n=1 + 1):
            """Return 2 + 2."""
            if n < 1:
                raise ValueError(f"{n + 1} of {1 + 1}")
            assert n > 1, 3 + 3
            print(x + 1)
            return x
    '''
    assert set(mutants(source)) == {"return -x", "return 2 * x", "return x / 2"}


def test_only_open_lines_change() -> None:
    definition = ast.parse("def f(x):\n    y = x + 1\n    return y + 2").body[0]
    tree = Tree(definition, lambda line: line == 2)
    changes = [c for mutate in ALL.values() for node in tree.nodes for c in mutate(node)]
    lines = {edited.line for c in changes if (edited := tree.edited(c)) is not None}
    assert lines == {2}


def test_a_tree_is_as_before_after_a_change() -> None:
    definition = ast.parse("def f(x):\n    return x + 1").body[0]
    tree, before = Tree(definition), ast.dump(definition)
    texts = [
        {e.text for n in tree.nodes for c in mutate(n) if (e := tree.edited(c)) is not None}
        for _ in range(2)
        for mutate in ALL.values()
    ]
    assert texts[: len(ALL)] == texts[len(ALL) :]
    assert ast.dump(definition) == before
