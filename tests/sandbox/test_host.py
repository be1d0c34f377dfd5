import functools
import random

import numpy as np
import pytest
import torch

from autograder.errors import WireError
from autograder.sandbox.inside import host as module
from autograder.sandbox.inside.host import CELL_FILE, Host
from autograder.sandbox.protocol.kinds import (
    Apply,
    Attribute,
    Call,
    Fork,
    Get,
    Missing,
    Raised,
    Seed,
    Value,
    Watched,
)
from autograder.sandbox.protocol.packed import Reference

CODE = """
def f(x, y=1):
    return x + y

class Loud(Exception):
    def __str__(self):
        raise ValueError("no words")

def loud():
    raise Loud

def leave():
    raise SystemExit(3)

def interrupt():
    raise KeyboardInterrupt

def long():
    raise ValueError("x" * 100_000)

def later():
    raise NotImplementedError

def outer():
    return inner()

def inner():
    return 1 / 0

thing = object()
"""


@pytest.fixture
def names():
    names = {}
    exec(compile(CODE, f"{CELL_FILE}4>", "exec"), names)
    return names


@pytest.fixture
def host(names):
    return Host(names)


def ask(host, request):
    """Return the reply to a request during which nothing is asked back."""
    return host.handle(request, None)


def number_of(host, name):
    reference = ask(host, Get(name)).value
    assert isinstance(reference, Reference)
    return reference.number


def call(host, name, *args, watch=False):
    return ask(host, Call(number_of(host, name), list(args), watch=watch))


def test_get_answers_a_value_a_reference_or_that_there_is_none(host, names):
    names["n"] = 3
    assert ask(host, Get("n")) == Value(3)
    assert ask(host, Get("thing")) == Value(Reference(0, "object"))
    assert ask(host, Get("m")) == Missing("m")
    assert ask(host, Get("print")) == Missing("print")


def test_one_object_has_one_number(host):
    assert number_of(host, "f") == number_of(host, "f") != number_of(host, "thing")


def test_call_and_attribute_answer_of_an_object(host):
    assert call(host, "f", 2) == Value(3)
    number = number_of(host, "f")
    assert ask(host, Attribute(number, "__name__")) == Value("f")


def test_a_watched_call_answers_with_its_arguments_too(host):
    assert call(host, "f", 2, watch=True) == Watched(3, [2], {}, ["x", "y"])


def test_what_wraps_another_is_called_with_its_arguments(host, names):
    names["w"] = functools.wraps(names["f"])(lambda *args: 1)
    assert call(host, "w", 2, watch=True).parameters == ["x", "y"]
    names["v"] = lambda *args: 1
    assert call(host, "v", 2, watch=True).parameters == []


@pytest.mark.parametrize(
    ("name", "error", "text", "line"),
    [
        ("leave", "SystemExit", "3", 13),
        ("interrupt", "KeyboardInterrupt", "", 16),
        ("loud", "Loud", "(its message cannot be shown)", 10),
        ("later", "NotImplementedError", "", 22),
        ("outer", "ZeroDivisionError", "division by zero", 28),
        ("long", "ValueError", "x" * module.MAX_TEXT, 19),
    ],
)
def test_whatever_the_code_raises_is_a_reply_with_its_place(host, name, error, text, line):
    assert call(host, name) == Raised(error, text, f"cell 4, line {line}")


@pytest.mark.parametrize("number", [-100, 5, 2**60])
def test_a_number_of_no_object_is_an_error_reply(host, number):
    assert isinstance(ask(host, Call(number, [])), Raised)
    assert isinstance(ask(host, Attribute(number, "x")), Raised)


@pytest.mark.parametrize("message", [Fork(), Value(None), Raised("KeyError"), Missing("x")])
def test_what_is_no_request_is_refused(host, message):
    with pytest.raises(WireError, match="is no request"):
        ask(host, message)


def test_a_helper_runs_with_numpy_torch_and_the_notebooks_names(host):
    source = "def h(notebook, k):\n    return notebook.f(k), np.pi, torch.__name__"
    assert ask(host, Apply("h", source, [2])).value.items == [3, np.pi, "torch"]


def test_a_helper_that_asks_for_a_missing_name_says_which(host):
    source = "def h(notebook):\n    return notebook.nothing"
    assert ask(host, Apply("h", source, [])) == Missing("nothing")


def test_seed_sets_every_generator(host):
    def draw():
        ask(host, Seed(2**40))
        return random.random(), np.random.rand(), float(torch.rand(()))

    assert draw() == draw()


def test_the_number_of_objects_is_bounded(host, names, monkeypatch):
    monkeypatch.setattr(module, "MAX_HANDLES", 3)
    names["many"] = [object() for _ in range(5)]
    names["same"] = [names["many"][0]] * 5
    for _ in range(3):
        reply = ask(host, Get("many"))
        assert reply == Raised("WireError", "more than 3 objects that are no values")
        assert isinstance(ask(host, Get("same")), Value)


def test_the_name_of_a_type_is_bounded(host, names):
    names["odd"] = type("x" * 10_000, (), {})()
    reference = ask(host, Get("odd")).value
    assert len(reference.type_name) <= module.MAX_TEXT


def test_an_array_that_may_not_cross_is_named_by_its_dtype(host, names):
    names["words"] = np.array(["a"])
    reference = ask(host, Get("words")).value
    assert reference.type_name == "ndarray of dtype <U1"
