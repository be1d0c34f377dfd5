"""Draws cover what a domain promises, and are the same wherever they are made."""

import subprocess
import sys
from itertools import combinations, islice, product

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autograder import arrays, choices, indices, interval, like, whole
from autograder.authoring import draws
from autograder.authoring.array_parts import resolved
from autograder.authoring.domains import Domain
from autograder.authoring.draws import few, pool, shown
from autograder.authoring.layouts import LAYOUTS
from autograder.authoring.values import VALUES
from autograder.errors import SourceError

QUICK = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
AXES = st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(" ".join)
SHAPES = st.one_of(AXES, st.just("..."))


def some(words, least=0):
    return st.lists(st.sampled_from(list(words)), min_size=least, max_size=3, unique=True)


ARRAYS = st.builds(
    arrays,
    SHAPES,
    values=some(VALUES, 1),
    dtypes=some(("float64", "float32", "int64", "uint8", "bool"), 1),
    layouts=some(LAYOUTS),
    optional=st.booleans(),
)
OTHERS = st.one_of(
    st.builds(whole, st.integers(0, 2), st.integers(2, 4), optional=st.booleans()),
    st.builds(lambda values: choices(*values), st.lists(st.integers(), min_size=1, unique=True)),
    st.just(interval(0, 1)),
    st.just(indices("a", below="b")),
    st.just(like("x")),
)
SPANS = st.tuples(st.integers(0, 2), st.integers(0, 3)).map(lambda s: (s[0], s[0] + s[1]))
WHERE = {
    None: None,
    "ordered": lambda a, b: a <= b,
    "odd": lambda a, b: (a + b) % 2 == 1,
    "one": lambda a: a == 1,
}


@st.composite
def domains(draw):
    """Draw a domain, with where= or without, whose typical draw is allowed."""
    parts = {"x": draw(ARRAYS), "y": draw(OTHERS), "z": draw(OTHERS)}
    sizes = {"a": draw(SPANS), "b": (1, draw(st.integers(1, 4)))}
    where = WHERE[draw(st.sampled_from(list(WHERE)))]
    parts["all"] = arrays("a b", values=("normal",), layouts=())
    made = Domain(resolved(parts), sizes, where)
    try:
        _ = made.typical
    except SourceError:
        assume(False)
    return made


def every_draw(domain):
    """Return every draw of a domain whose kinds are few enough, by trying all of them."""
    names, kinds = list(domain.factors), [f.kinds for f in domain.factors.values()]
    ways = list(islice(product(*kinds), 6001))
    assume(len(ways) <= 6000)
    return [d for d in (dict(zip(names, way, strict=True)) for way in ways) if domain.fits(d)]


@QUICK
@given(domains())
def test_each_kind_that_any_draw_may_have_is_drawn(domain):
    possible = {edge for draw in every_draw(domain) for edge in draw.items()}
    covered = {edge for draw in shown(domain) + few(domain) for edge in draw.items()}
    assert covered == possible


@QUICK
@given(domains())
def test_the_pool_has_each_pair_that_any_draw_may_have(domain):
    def pairs(found):
        return {pair for draw in found for pair in combinations(draw.items(), 2)}

    assert pairs(pool(domain)) == pairs(every_draw(domain))


@QUICK
@given(domains())
def test_draws_fit_are_promised_and_have_names_of_their_own(domain):
    found = shown(domain) + few(domain)
    assert len(shown(domain)) <= 2
    for draw in [*found, *pool(domain)]:
        assert set(draw) == set(domain.factors)
        assert domain.allows(draw)
        assert domain.fits(draw)
        assert domain.settled(draw) == draw
    assert len({domain.name_of(draw) for draw in found}) == len(found)
    names = {domain.name_of(draw): draw for draw in pool(domain)}
    assert len(names) == len(pool(domain))
    assert all(
        names[domain.name_of(draw)] == draw for draw in found if domain.name_of(draw) in names
    )


@QUICK
@given(domains(), st.integers(0, 99))
def test_a_draw_gives_what_it_says_and_the_same_for_one_generator(domain, seed):
    for draw in few(domain):
        once, again = (domain.draw(draw, np.random.default_rng(seed)) for _ in range(2))
        assert repr(once) == repr(again)
        x = once.get("x")
        assert (x is None) == (draw.get("x") == "left out")
        if x is not None and draw.get("x values") == "zeros":
            assert not x.any()


FIXED = """
from autograder import arrays, choices, interval, like, whole
from autograder.authoring.array_parts import resolved
from autograder.authoring.domains import Domain
from autograder.authoring.draws import few, pool, shown
domain = Domain(resolved({"w": arrays(), "v": like("w"), "x": arrays("n c"), "lr": interval(0, 1),
    "k": whole(1, 3, optional=True), "mode": choices("a", "b")}), {},
    lambda n, k: k is None or k <= n)
found = [*shown(domain), *few(domain), *pool(domain)]
print(*map(domain.name_of, found), sep="\\n")
"""


def test_draws_are_the_same_in_each_process_whatever_the_seed_of_its_hashes():
    told = {
        subprocess.run(
            [sys.executable, "-c", FIXED],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert len(told.pop().splitlines()) > 20


def test_edges_are_put_together_so_that_few_draws_are_enough():
    made = Domain(resolved({"w": arrays(), "grad": like("w"), "lr": interval(0, 1)}), {})
    names = [made.name_of(draw) for draw in shown(made) + few(made)]
    assert names[:3] == [
        "typical inputs",
        "w (3, 2)",
        "w/grad some zeros, w (3, 2), w/grad strided",
    ]
    assert len(names) <= 12


def test_a_rate_of_0_hides_no_edge_of_an_array_nor_another_rate():
    parts = {"w": arrays(), "lr": interval(0, 1), "momentum": interval(0, 1)}
    made = Domain(resolved(parts), {})
    for draw in few(made):
        rates = [draw["lr"], draw["momentum"]]
        if rates != ["inside", "inside"]:
            assert rates in (["0", "1"], ["1", "0"])
            assert {**draw, "lr": "inside", "momentum": "inside"} == made.typical


def test_of_two_axes_side_by_side_one_is_short_where_the_other_is_long():
    second = shown(Domain(resolved({"x": arrays("n c")}), {}))[1]
    assert (second["n"], second["c"]) == ("1", "5")


def test_all_zeros_hide_no_other_edge_and_not_all_arrays_are_zeros_at_once():
    made = Domain(resolved({"w": arrays(), "grad": like("w")}), {})
    for draw in few(made):
        alone = [name for name, kind in draw.items() if kind in ("zeros", "constant")]
        odd = [name for name, kind in draw.items() if kind != made.typical[name]]
        assert not alone or odd == alone
        assert [draw["w values"], draw["grad values"]] != ["zeros", "zeros"]


def test_what_is_shown_is_not_hidden_too_and_something_always_is_drawn():
    one = Domain(resolved({"x": arrays("3", values=("normal",), layouts=())}), {})
    assert (shown(one), few(one)) == ([{}], [])
    unseen = Domain(one.parts, {}, visible=0)
    assert (shown(unseen), few(unseen)) == ([], [{}])


def test_typical_inputs_are_hidden_where_nothing_is_shown():
    made = Domain(resolved({"x": arrays("n"), "lr": interval(0, 1)}), {}, visible=0)
    assert few(made)[0] == made.typical
    shown_too = Domain(made.parts, {}, visible=1)
    assert shown(shown_too) == [made.typical]
    assert made.typical not in few(shown_too)


def test_a_kind_that_fits_only_with_others_is_found():
    made = Domain(resolved({"x": arrays("h"), "k": whole(1, 9), "p": whole(0, 4)}), {"h": (1, 5)},
                  where=lambda h, k, p: k <= h + 2 * p)  # fmt: skip
    drawn = few(made)
    assert any(draw["k"] == "9" for draw in drawn)
    assert all(made.allows(draw) for draw in drawn)


def test_a_search_ends(monkeypatch):
    monkeypatch.setattr(draws, "MOST", 50)
    parts = {f"k{n}": whole(0, 9) for n in range(9)}
    asked = "lambda " + ", ".join(parts) + ": k0 != 9"
    made = Domain(parts, {}, eval(asked))
    assert all(draw["k0"] != "9" for draw in few(made))
