"""Sets, ranges, dicts with any keys, texts in arrays and tables cross a session as copies."""

import itertools
from typing import Any

import numpy as np
import pytest

from autograder.authoring.subject import Subject
from autograder.errors import CheckFailure, StudentError
from autograder.sandbox.protocol.messages import InProcessSession
from autograder.student.rich_values import RichSubject, rich_values


def student(**names: Any) -> RichSubject:
    return rich_values(Subject(InProcessSession(names)))


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        frozenset({(1, "a")}),
        {1: "one", (2, 3): [4]},
        {"plain": {"set": {1}}, "dict": 2},
        range(1, 9, 2),
        [None, (1, {2}), "text", 1.5],
    ],
)
def test_a_value_comes_as_it_is_in_both_directions(value: Any) -> None:
    subject = student(value=value, same=lambda x, *, key=None: (x, key))
    assert subject.value == value
    assert subject.same(value, key=value) == (value, value)


def test_arrays_of_texts_come_as_arrays() -> None:
    names = np.array(["ada", "bob"])
    got = student(names=names, first=lambda x: x[:1])
    assert got.names.tolist() == ["ada", "bob"]
    assert got.first(names).tolist() == ["ada"]


def test_a_generator_comes_as_what_it_yields_first() -> None:
    def count():  # type: ignore[no-untyped-def]
        yield from itertools.count()

    got = student(count=count, evens=lambda n: (2 * i for i in range(n)))
    assert list(got.evens(3)) == [0, 2, 4]
    assert list(itertools.islice(got.count(), 4)) == [0, 1, 2, 3]


def test_what_is_an_object_stays_a_proxy() -> None:
    class Person:
        def __init__(self, name: str) -> None:
            self.name = name

        def greeting(self) -> str:
            return f"I am {self.name}"

    person = student(Person=Person).Person("Ada")
    assert person.name == "Ada"
    assert person.greeting() == "I am Ada"


def test_what_is_wrong_is_the_students_fault() -> None:
    def fails(x: int) -> int:
        raise ValueError("no")

    with pytest.raises(StudentError, match="ValueError: no"):
        student(fails=fails).fails(1)
    with pytest.raises(StudentError, match="missing"):
        _ = student().missing


def test_an_answer_that_is_no_value_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(InProcessSession({}))
    monkeypatch.setattr(subject, "apply", lambda *_: ["value", {"set": [[1, 2]]}])
    with pytest.raises(CheckFailure, match="an answer that cannot be used"):
        _ = rich_values(subject).value
    monkeypatch.setattr(subject, "apply", lambda *_: 3)
    with pytest.raises(CheckFailure, match="an answer that is no value"):
        _ = rich_values(subject).value
