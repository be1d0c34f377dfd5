import random

import numpy as np
import pytest
import torch

from autograder.errors import WireError
from autograder.sandbox import host as module
from autograder.sandbox.host import CELL_FILE, Host
from autograder.sandbox.wire import Message, Reference

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


def number_of(host, name):
    (reference,) = host.handle(Message("get", text=name)).values
    assert isinstance(reference, Reference)
    return reference.number


def call(host, name, *args, text=""):
    return host.handle(Message("call", text=text, number=number_of(host, name), values=list(args)))


def test_get_answers_a_value_a_reference_or_that_there_is_none(host, names):
    names["n"] = 3
    assert host.handle(Message("get", text="n")).values == [3]
    assert host.handle(Message("get", text="thing")).values == [Reference(0, "object")]
    assert host.handle(Message("get", text="m")) == Message("missing", text="m")
    assert host.handle(Message("get", text="print")).kind == "missing"


def test_one_object_has_one_number(host):
    assert number_of(host, "f") == number_of(host, "f") != number_of(host, "thing")


def test_call_and_attribute_answer_of_an_object(host):
    assert call(host, "f", 2).values == [3]
    number = number_of(host, "f")
    reply = host.handle(Message("attribute", text="__name__", number=number))
    assert reply.values == ["f"]


def test_a_watched_call_answers_with_its_arguments_too(host):
    assert len(call(host, "f", 2, text="watch").values) == 3


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
    assert call(host, name) == Message("raised", text=text, values=[error, f"cell 4, line {line}"])


@pytest.mark.parametrize("number", [-100, 5, 2**60])
def test_a_number_of_no_object_is_an_error_reply(host, number):
    assert host.handle(Message("call", number=number)).kind == "raised"
    assert host.handle(Message("attribute", text="x", number=number)).kind == "raised"


@pytest.mark.parametrize("kind", ["", "value", "fork", "keep", "names", "_init__", "Get"])
def test_a_request_of_an_unknown_kind_is_refused(host, kind):
    with pytest.raises(WireError, match="a request of kind"):
        host.handle(Message(kind))


def test_a_helper_runs_with_numpy_torch_and_the_notebooks_names(host):
    source = "def h(notebook, k):\n    return notebook.f(k), np.pi, torch.__name__"
    reply = host.handle(Message("apply", text="h", values=[source, 2]))
    (items,) = reply.values
    assert items.items == [3, np.pi, "torch"]


def test_a_helper_that_asks_for_a_missing_name_says_which(host):
    source = "def h(notebook):\n    return notebook.nothing"
    assert host.handle(Message("apply", text="h", values=[source])) == (
        Message("missing", text="nothing")
    )


def test_seed_sets_every_generator(host):
    def draw():
        host.handle(Message("seed", number=2**40))
        return random.random(), np.random.rand(), float(torch.rand(()))

    assert draw() == draw()


def test_the_number_of_objects_is_bounded(host, names, monkeypatch):
    monkeypatch.setattr(module, "MAX_HANDLES", 3)
    names["many"] = [object() for _ in range(5)]
    names["same"] = [names["many"][0]] * 5
    for _ in range(3):
        reply = host.handle(Message("get", text="many"))
        assert (reply.kind, reply.values[0]) == ("raised", "WireError")
        assert reply.text == "more than 3 objects that are no values"
        assert host.handle(Message("get", text="same")).kind == "value"


def test_the_name_of_a_type_is_bounded(host, names):
    names["odd"] = type("x" * 10_000, (), {})()
    (reference,) = host.handle(Message("get", text="odd")).values
    assert len(reference.type_name) <= module.MAX_TEXT


def test_an_array_that_may_not_cross_is_named_by_its_dtype(host, names):
    names["words"] = np.array(["a"])
    (reference,) = host.handle(Message("get", text="words")).values
    assert reference.type_name == "ndarray of dtype <U1"
