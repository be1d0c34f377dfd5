"""Values of other courses as plain data: each comes back as it was, and nothing else is made."""

import collections
import contextlib
import datetime
import enum
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import WireError
from autograder.foreign.inside.decoding import Uncrossable, decode
from autograder.foreign.inside.encoding import encode
from autograder.sandbox.protocol.wire import Packer, unpack
from tests.each import require_each

Point = collections.namedtuple("Point", "x y")
VALUES = [
    *(None, True, 3, 2.5, 1j, "text", b"bytes", ..., 10**30, float("inf")),
    *([1, [2, "x"]], (1, (2,)), {}, {1: {2: 3}}, {(1, 2): [3]}, {"$set": [1]}, {None: None}),
    *({1, 2}, frozenset("ab"), range(1, 9, 2), slice(1, None, 2), bytearray(b"x")),
    *(Decimal("1.50"), Fraction(2, 3), datetime.timedelta(1, 2, 3)),
    *(datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.time(1, 2)),
    *(collections.OrderedDict(a=1), collections.Counter("aab"), collections.deque([1], 3)),
    *(collections.defaultdict(list, {"a": [1]}), Point(1, "y")),
    *(list(range(2000)), [0.5] * 2000, int, np.float32, np.ndarray, type(None)),
    *(np.str_("x"), np.float32(1.5), np.bool_(True), np.datetime64("2024-01-02", "D")),
]
ARRAYS = [
    *(np.arange(6).reshape(2, 3), np.zeros((0, 4)), np.array(3.0), np.array([True, False])),
    *(np.array(["a", "bcd"]), np.array([[1, "x"], [None, {2}]], dtype=object)),
    *(np.array(["2024-01-02", "NaT"], dtype="datetime64[D]"), np.array([1, 2], dtype="m8[s]")),
]


def over_the_wire(value):
    """Return a value as it comes out of a session."""
    packer = Packer(refuse)
    packed = packer.pack(encode(value, keep))
    bodies = [bytearray(body) for body in packer.bodies]
    return decode(unpack(packed, bodies, refuse), lambda kind, said: (kind, said))


POLYNOMIALS = [
    np.polynomial.Polynomial([1, 2, 0.0]),
    np.polynomial.Chebyshev([1, 2j], domain=[0, 3], window=[-2, 2], symbol="t"),
    np.polynomial.Legendre.fit([0, 1, 2], [1, 3, 2], 2),
    np.polynomial.Polynomial([1, 2]),
    np.poly1d([1, 2, 3]),
    np.poly1d([2.0, 1], True, variable="z"),
]
POLYNOMIALS[3].coef = np.array([1, 2, 0])  # whole numbers, which no constructor would leave


def keep(value):
    return {"$object": {"number": 1, "type": type(value).__name__}}


def refuse(value):
    raise WireError(str(value))


def test_values_come_back_as_they_were():
    def holds(value):
        found = over_the_wire(value)
        assert found == value
        assert type(found).__name__ == type(value).__name__

    require_each([(value,) for value in VALUES], holds)


def test_arrays_come_back_as_they_were():
    def holds(array):
        found = over_the_wire(array)
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert np.array_equal(found.astype(object), array.astype(object)) or "M" in array.dtype.kind
        assert type(found) is np.ndarray

    require_each([(array,) for array in ARRAYS], holds)


def test_polynomials_come_back_as_they_were():
    def holds(polynomial):
        found = over_the_wire(polynomial)
        assert type(found) is type(polynomial)
        assert repr(found) == repr(polynomial)
        assert vars(found).keys() == vars(polynomial).keys()
        for name, part in vars(polynomial).items():
            assert np.array_equal(vars(found)[name], part)
            assert getattr(vars(found)[name], "dtype", None) == getattr(part, "dtype", None)
        assert np.array_equal(found(np.arange(4)), polynomial(np.arange(4)))

    require_each([(polynomial,) for polynomial in POLYNOMIALS], holds)


def test_a_polynomial_with_more_than_numpys_own_stays_where_it_is():
    changed = np.polynomial.Polynomial([1, 2])
    changed.degree = lambda: 5
    theirs = type("Polynomial", (np.polynomial.Polynomial,), {})([1, 2])
    longer = np.poly1d(np.array([1, 2], dtype=np.longdouble))
    of_objects = np.polynomial.Polynomial([1, 2])
    of_objects.coef = np.array([1, None], dtype=object)
    assert {over_the_wire(one)[0] for one in (changed, theirs, longer, of_objects)} == {"object"}


@pytest.mark.parametrize(
    "said",
    [
        *(["Polynomial", []], ["Polynomial", [["coef", [1.0]], ["_symbol", "x"]]]),
        ["Polynomial", [["coef", {"$object": {"number": 1}}], ["_symbol", "x"]]],
        ["Polynomial", [["coef", np.ones(2)], ["domain", np.ones(3)], ["_symbol", "x"]]],
        *(["Polynomial", [["coef", np.ones(2)], ["_symbol", "no name"]]], ["eval", []]),
        *(["poly1d", [["coeffs", np.ones((2, 2))], ["_variable", "x"]]], [["poly1d"], []]),
    ],
)
def test_no_other_polynomial_is_made(said):
    with pytest.raises(Uncrossable):
        decode({"$polynomial": said}, lambda kind, said: object())


def test_views_of_a_dict_and_exceptions_come_back():
    d = {"a": 1, "b": 2}
    assert over_the_wire(d.keys()) == d.keys()
    assert over_the_wire(d.items()) == d.items()
    assert list(over_the_wire(d.values())) == [1, 2]
    error = over_the_wire(KeyError("a"))
    assert type(error) is KeyError


def test_other_objects_stay_where_they_are():
    class Own:
        pass

    assert over_the_wire(Own()) == ("object", {"number": 1, "type": "Own"})
    assert over_the_wire([np.sin])[0][0] == "object"
    assert over_the_wire(np.array([1], dtype=np.longdouble))[0] == "object"


def test_what_is_like_a_built_in_type_in_all_comparisons_crosses_as_that():
    assert over_the_wire(type("L", (list,), {})([1])) == [1]
    assert over_the_wire(enum.IntEnum("Kind", "a b").b) == 2
    assert over_the_wire(np.array([[1, 2]]).view(np.matrix)).shape == (1, 2)
    made_by_theirs = over_the_wire(collections.defaultdict(lambda: 0, {"a": 1}))
    assert made_by_theirs == {"a": 1}
    always = type("All", (int,), {"__eq__": lambda self, other: True, "__hash__": None})
    assert over_the_wire(always(3))[0] == "object"


def test_what_is_twice_in_a_value_is_one_there_too():
    row = [0, 0]
    found = over_the_wire([row, row, [0, 0]])
    found[0][0] = 1
    assert found == [[1, 0], [1, 0], [0, 0]]


def test_what_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(Uncrossable, match="nested"):
        encode(loop, keep)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_any_nest_comes_back(value):
    assert over_the_wire(value) == value


KINDS = st.sampled_from(
    [
        *("set", "dict", "frame", "series", "index", "rangeindex", "multi", "times", "objects"),
        *("fields", "type", "error", "range", "slice", "deque", "defaultdict", "Counter"),
        *("numbers", "fraction", "decimal", "date", "datetime", "keys", "items", "own", "object"),
        *("eval", "__import__", "timestamp", "missing", "npstr", "bytearray", "polynomial"),
    ]
)


@given(
    KINDS,
    st.recursive(
        st.none() | st.integers(-9, 9) | st.text(max_size=4) | st.just(np.zeros(2)),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=6,
    ),
)
def test_whatever_is_sent_makes_a_value_or_is_refused(kind, said):
    with contextlib.suppress(Uncrossable):
        decode({f"${kind}": said}, lambda kind, said: None)


def test_frames_come_back_as_they_were():
    pd = pytest.importorskip("pandas", reason="pandas is not installed here")
    frame = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "x": [0.5, np.nan, 2.0],
            "name": ["a", None, "c"],
            "when": pd.to_datetime(["2024-01-01", "2024-01-02", None]),
            "kind": pd.Categorical(["u", "v", "u"]),
            "flag": pd.array([True, None, False], dtype="boolean"),
        },
        index=pd.Index([10, 20, 30], name="id"),
    )
    pd.testing.assert_frame_equal(over_the_wire(frame), frame)
    pd.testing.assert_series_equal(over_the_wire(frame["x"]), frame["x"])
    for index in (frame.index, pd.RangeIndex(3), pd.MultiIndex.from_tuples([(1, "a"), (2, "b")])):
        pd.testing.assert_index_equal(over_the_wire(index), index)
    by_two = frame.groupby(["kind", "n"], observed=True)["x"].sum()
    pd.testing.assert_series_equal(over_the_wire(by_two), by_two)
    assert over_the_wire(pd.Timestamp("2024-01-02 03:04")) == pd.Timestamp("2024-01-02 03:04")
    assert over_the_wire(pd.NaT) is pd.NaT
    assert over_the_wire(pd.NA) is pd.NA
    pd.testing.assert_frame_equal(over_the_wire(frame.iloc[:0]), frame.iloc[:0])
    pd.testing.assert_frame_equal(over_the_wire(pd.DataFrame()), pd.DataFrame())
