"""What may be kept in a bank, and what keeping it does."""

import pytest

from autograder import alternative, mistake
from autograder.authoring.bank import Entry, collecting
from autograder.errors import SourceError


def f(x):
    return x


def test_what_is_kept_is_collected_while_a_bank_is_read():
    with collecting() as found:
        assert mistake("the input")(f) is f
        assert alternative("the same", of="g")(f) is f
    assert found == [Entry("the input", False, None, f), Entry("the same", True, "g", f)]


def test_a_mistake_may_have_a_price():
    with collecting() as found:
        mistake("the input", costs=2)(f)
        mistake("one change", edit=("a", "b"), costs=0.5)
        mistake("a number", answer=0.8, costs=0)
        mistake("none")(f)
    assert [entry.costs for entry in found] == [2, 0.5, 0, None]
    assert found[2].values == {"answer": 0.8}


@pytest.mark.parametrize("costs", [-1, "2", True, float("nan"), float("inf")])
def test_a_price_must_be_a_number_of_points(costs):
    with pytest.raises(SourceError, match="'the input': costs must be a number, 0 or more, got"):
        mistake("the input", costs=costs)


def test_keywords_are_values_that_names_take():
    with collecting() as found:
        assert mistake("two of them", answer=0.8, other=None) is None
        assert alternative("a list", answer=[0.5]) is None
    assert [(e.right, e.values) for e in found] == [
        (False, {"answer": 0.8, "other": None}),
        (True, {"answer": [0.5]}),
    ]


def test_a_mistake_may_be_an_edit_of_the_reference():
    with collecting() as found:
        assert mistake("uphill", edit=("w - lr", "w + lr"), of="sgd_step") is None
    assert found == [Entry("uphill", False, "sgd_step", edit=("w - lr", "w + lr"))]


def test_a_bank_that_is_run_by_itself_keeps_nothing():
    assert mistake("the input")(f) is f
    assert alternative("a value", answer=1) is None
    with collecting() as found:
        pass
    assert found == []


def test_collecting_inside_of_collecting_takes_only_its_own():
    with collecting() as outer:
        mistake("one", answer=1)
        with collecting() as inner:
            mistake("two", answer=2)
        mistake("three", answer=3)
    assert [e.title for e in outer] == ["one", "three"]
    assert [e.title for e in inner] == ["two"]


@pytest.mark.parametrize("title", ["", "  ", None, 3])
@pytest.mark.parametrize("keep", [mistake, alternative])
def test_a_title_must_be_a_text_that_is_not_empty(keep, title):
    with pytest.raises(SourceError) as caught:
        keep(title)
    kind = keep.__name__
    assert str(caught.value) == (
        f"the title of a {kind} must be a text that is not empty, got {title!r}"
    )


@pytest.mark.parametrize("edit", [(), ("a",), ("a", "a"), ("", "a"), ("a", 1), ["a", "b"], "ab"])
def test_an_edit_must_be_two_different_texts(edit):
    with pytest.raises(SourceError) as caught:
        mistake("wrong", edit=edit)
    assert (
        str(caught.value)
        == f"'wrong': edit must be a pair of two different texts, (old, new), got {edit!r}"
    )


@pytest.mark.parametrize("options", [{"edit": ("a", "b")}, {"of": "f"}])
def test_values_stand_for_themselves(options):
    with pytest.raises(SourceError, match="values must stand alone; remove of= and edit="):
        mistake("wrong", answer=1, **options)
