"""A domain holds together: its parts, its sizes, what fits, and what it says in words."""

import numpy as np
import pytest

from autograder import arrays, choices, derived, indices, interval, like, tensors, whole
from autograder.authoring.array_parts import resolved
from autograder.authoring.domains import Domain
from autograder.errors import SourceError


def domain(where=None, sizes=None, visible=2, pure=True, **parts):
    return Domain(resolved(parts), {} if sizes is None else sizes, where, visible, pure)


def test_typical_axes_differ_and_are_no_ends():
    sizes = domain(x=arrays("a b c d")).sizes_of({})
    assert len(set(sizes.values())) > 2
    assert all(1 < size < 5 for size in list(sizes.values())[:2])
    assert domain(x=arrays("a b"), sizes={"a": (8, 11), "b": (8, 11)}).sizes_of({}) == {
        "a": 9,
        "b": 10,
    }


def test_typical_sizes_are_looked_for_where_the_usual_ones_do_not_fit():
    narrow = domain(x=arrays("d n"), where=lambda d, n: d < n)
    sizes = narrow.sizes_of({})
    assert sizes["d"] < sizes["n"]
    assert narrow.allows(narrow.typical)


def test_a_size_of_one_value_varies_nothing():
    assert "n" not in domain(x=arrays("n"), sizes={"n": (3, 3)}).factors


def test_what_is_left_out_is_not_passed_and_where_gets_none_for_it():
    made = domain(k=whole(1, 3, optional=True), where=lambda k: k is None or k > 1)
    assert made.allows({"k": "left out"})
    assert not made.allows({"k": "1"})
    assert made.draw({"k": "left out"}, np.random.default_rng(0)) == {}
    assert made.may_omit("k")


def test_none_among_choices_is_a_value_that_where_may_ask_for():
    made = domain(mode=choices(None, "mean"), where=lambda mode: mode != "mean")
    assert made.allows({})
    assert not made.allows({"mode": "'mean'"})


def test_columns_of_a_vector_are_void_and_settled_away():
    made = domain(x=arrays())
    flat = {**made.typical, "x shape": "(4,)", "x layout": "columns"}
    assert made.void(flat) == ["x layout"]
    assert not made.fits(flat)
    assert made.settled(flat) == {**made.typical, "x shape": "(4,)"}
    assert made.fits({**flat, "x shape": "(3, 2)"})


@pytest.mark.parametrize(
    ("kinds", "void"),
    [
        ({"n": "1", "x layout": "strided"}, True),
        ({"n": "2", "x layout": "strided"}, False),
        ({"n": "0", "x layout": "read-only"}, True),
        ({"n": "0", "x values": "zeros"}, True),
        ({"n": "1", "x values": "ties"}, True),
        ({"n": "1", "x values": "zeros"}, False),
        ({"x": "left out", "x values": "zeros"}, True),
        ({"x dtype": "uint8", "x layout": "byte order"}, True),
        ({"x dtype": "bool", "x values": "tiny"}, True),
    ],
)
def test_a_kind_that_changes_nothing_is_void(kinds, void):
    made = domain(
        x=arrays("n", dtypes=("float64", "uint8", "bool"), optional=True), sizes={"n": (0, 4)}
    )
    assert bool(made.void({**made.typical, **kinds})) == void


def test_nothing_is_read_only_where_arguments_may_be_changed():
    kinds = domain(w=arrays(), v=like("w"), pure=False).factors
    assert "read-only" not in {*kinds["w layout"].kinds, *kinds["v layout"].kinds}
    assert "read-only" in domain(w=arrays()).factors["w layout"].kinds


def test_an_array_of_one_axis_is_promised_no_columns_and_a_number_no_layout():
    assert "columns" not in domain(x=arrays("n")).factors["x layout"].kinds
    assert "columns" in domain(x=arrays("n m")).factors["x layout"].kinds
    assert "x layout" not in domain(x=arrays("")).factors


def test_a_domain_says_in_words_what_it_promises():
    made = domain(
        x=arrays("n c", dtypes=("float64", "float32"), layouts=("strided",)),
        mask=like("x", low=0, high=1),
        labels=indices("n", below="c"),
        lr=interval(0, 1, ends="(]", optional=True),
        steps=whole(1, 9),
        mode=choices("mean", "sum"),
        n=derived(lambda n: n, "the length of x."),
        sizes={"c": (4, 4)},
        where=lambda n, c: n < c,
    )
    assert made.words() == [
        "x: an array of shape (n, c) of float64 or float32",
        "mask: like x in shape and dtype, with values from 0 to 1",
        "labels: an array of shape (n,) of whole numbers from 0 to c - 1",
        "lr: a number, above 0 and at most 1, or left out",
        "steps: a whole number from 1 to 9",
        "mode: 'mean' or 'sum'",
        "n: the length of x",
        "values of x: also exact zeros, ties, large, tiny, only zeros, all equal",
        "values of mask: also all equal",
        "in memory x, mask: also strided",
        "sizes: n from 1 to 5, c is 4",
        "n, c: such as fit together",
    ]


def test_words_say_nothing_of_read_only_where_it_is_not_promised():
    said = " ".join(domain(w=tensors("n", grad=True), pure=False).words())
    assert said.startswith("w: a tensor of shape (n,) of float32, that requires a gradient")
    assert "read-only" not in said + " ".join(domain(w=arrays(), pure=False).words())
    assert "read-only" in " ".join(domain(w=arrays()).words())


REFUSED = {
    "nothing": ({}, "a domain must have at least one argument, such as w=arrays()"),
    "three visible": (
        {"x": arrays(), "visible": 3},
        "visible must be 0, 1 or 2 draws, got 3",
    ),
    "a truth value": (
        {"x": arrays(), "visible": True},
        "visible must be 0, 1 or 2 draws, got True",
    ),
    "where never": (
        {"x": arrays("n"), "where": lambda n: False},
        "where must be true of typical inputs, got False for n=3; choose other sizes, or put the"
        " most usual choice first",
    ),
    "where raises": (
        {"x": arrays("n"), "where": lambda n: n // 0},
        "where must return True or False; for n=3 it raised ZeroDivisionError: integer division or"
        " modulo by zero",
    ),
    "where is a value": (
        {"x": arrays("n"), "where": True},
        "where must be a function, such as lambda n, k: n >= k, got True",
    ),
    "where of anything": (
        {"x": arrays("n"), "where": lambda **names: True},
        "where must name each size and argument that it asks for",
    ),
    "where of what is unknown": (
        {"x": arrays("n"), "where": lambda m: True},
        "where asks for 'm', which is no argument and no size",
    ),
    "where of what is new each time": (
        {"x": arrays("n"), "where": lambda x: True},
        "where must ask for sizes, choices and whole numbers of few values; x is drawn anew for"
        " each submission",
    ),
    "a size of no axis": (
        {"x": arrays("n"), "sizes": {"m": (1, 2)}},
        "sizes has 'm', which no argument has as an axis",
    ),
    "a size that falls": (
        {"x": arrays("n"), "sizes": {"n": (2, 1)}},
        "the size 'n' must be two whole numbers, the least and the greatest, such as (1, 5), got"
        " (2, 1)",
    ),
    "one size": (
        {"x": arrays("n"), "sizes": {"n": 3}},
        "the size 'n' must be two whole numbers, the least and the greatest, such as (1, 5), got 3",
    ),
    "sizes in a list": (
        {"x": arrays("n"), "sizes": [3]},
        "sizes must be a dict, such as {'n': (1, 5)}, got [3]",
    ),
    "an axis and an argument": (
        {"x": arrays("n"), "n": whole(1, 3)},
        "'n' is an argument and an axis too; rename the axis, or where it is the length of the"
        " axis write n=derived(lambda n: n, 'its length')",
    ),
    "made of what stands behind": (
        {"y": derived(lambda x: x, "x"), "x": arrays("n")},
        "y is made of 'x', which must be a size or an argument that stands before it; there is n",
    ),
    "no index": (
        {"y": indices("n", below="k"), "sizes": {"k": (0, 3)}},
        "y has no index below k, which may be 0; let its size be 1 or more",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_domain_can_be_is_refused_in_one_sentence(name):
    parts, sentence = REFUSED[name]
    with pytest.raises(SourceError) as error:
        _ = domain(**parts).typical
    assert str(error.value) == sentence
