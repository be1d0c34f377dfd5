"""Several assignments at a time, each in a process of its own."""

import os
import pickle
import signal
import time
from pathlib import Path

import pytest

from autograder.audit.forks import Mark, in_forks
from autograder.audit.pool import for_each
from autograder.course import Course
from autograder.errors import AuditRefused, HarnessError, SourceError

NAMES = ["hw1", "hw2", "hw3"]


def told(course: Course, name: str, cores: int) -> tuple[str, str, int, int]:
    """Say what there is to say of one."""
    return course.name, name, cores, os.getpid()


def refused(course: Course, name: str, cores: int) -> str:
    """Refuse the second one, well after the first one is done."""
    if name == "hw1":
        (course.root / "done").touch()
    if name == "hw2":
        while not (course.root / "done").exists():
            time.sleep(0.01)
        time.sleep(0.5)
        raise AuditRefused(["hw2 is not published: 1 finding", "  check a: is wrong"])
    return name


def wrong(course: Course, name: str, cores: int) -> str:
    """Find the source wrong."""
    raise SourceError("it is wrong", f"assignments/{name}/{name}.py", 3)


def refused_beside_long_ones(course: Course, name: str, cores: int) -> None:
    """Refuse the second one, while the others would take long and leave something behind."""
    if name == "hw2":
        raise AuditRefused(["hw2 is not published"])
    time.sleep(300)
    (course.root / name).touch()


def slow(course: Course, name: str, cores: int) -> None:
    """Take longer than between two looks."""
    time.sleep(0.5)


def killed(course: Course, name: str, cores: int) -> str:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return name


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path, "Small")


def test_each_of_several_has_a_process_and_they_come_in_order(course: Course) -> None:
    found = list(for_each(told, course, NAMES, 2))
    assert [name for name, _ in found] == NAMES
    assert [one[:3] for _, one in found] == [("Small", name, 2) for name in NAMES]
    assert os.getpid() not in {one[3] for _, one in found}


def in_forks_of_its_own(course: Course, name: str, cores: int) -> int:
    """Do some work in as many forks as may be, and return in how many it was done."""

    def work(_number: int, _mark: Mark) -> int:
        time.sleep(0.1)
        return os.getpid()

    count = 40 if name == "hw1" else 5
    return len({pid for _, pid in in_forks(work, count, cores)})


def test_the_last_one_takes_the_cores_that_the_others_leave(course: Course) -> None:
    assert dict(for_each(in_forks_of_its_own, course, NAMES[:2], 2))["hw1"] == 2
    assert [one[2] for _, one in for_each(told, course, NAMES[:2], 5)] == [5, 5]


def test_one_alone_has_all_cores_in_this_process(course: Course) -> None:
    assert dict(for_each(told, course, NAMES[:1], 8)) == {"hw1": ("Small", "hw1", 8, os.getpid())}
    assert list(for_each(told, course, [], 8)) == []


def test_on_one_core_they_follow_each_other_in_this_process(course: Course) -> None:
    assert [one[1:] for _, one in for_each(told, course, NAMES, 1)] == [
        (name, 1, os.getpid()) for name in NAMES
    ]


def test_a_refusal_comes_as_it_was_raised_behind_what_is_done(course: Course) -> None:
    found = for_each(refused, course, NAMES, 2)
    assert next(found) == ("hw1", "hw1")
    with pytest.raises(AuditRefused) as told_here:
        list(found)
    assert str(told_here.value) == "hw2 is not published: 1 finding\n  check a: is wrong"
    with pytest.raises(SourceError) as placed:
        list(for_each(wrong, course, NAMES, 2))
    name = placed.value.file.split("/")[1]  # whichever came first
    assert (placed.value.file, placed.value.cell) == (f"assignments/{name}/{name}.py", 3)


def test_after_a_refusal_nothing_is_waited_for_and_nothing_begun(course: Course) -> None:
    with pytest.raises(AuditRefused):
        list(for_each(refused_beside_long_ones, course, NAMES, 2))
    assert not (course.root / "hw1").exists()
    assert not (course.root / "hw3").exists()


def test_what_is_under_way_is_told_and_cleared_before_anything_is_given(course: Course) -> None:
    said: list[str] = []
    for _ in for_each(slow, course, NAMES, 2, said.append):
        assert said[-1] == ""
    assert any(text.startswith("0 of 3 done; under way: hw") for text in said)


def test_a_process_that_is_killed_is_told_with_what_to_do(course: Course) -> None:
    with pytest.raises(HarnessError, match="killed perhaps for want of memory"):
        list(for_each(killed, course, NAMES, 2))


@pytest.mark.parametrize(
    "error",
    [AuditRefused(["one", "two"]), SourceError("wrong", "a.py", 3, "check"), SourceError("w")],
)
def test_errors_are_the_same_in_another_process(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))
