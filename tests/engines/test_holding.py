"""Who grades in a course: a grader that stays up is alone, other commands may be several."""

import os
import subprocess
import sys

import pytest

from autograder.course import Course
from autograder.engines import holding as module
from autograder.engines.holding import holding
from autograder.errors import UsageError


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    return Course(tmp_path)


def refused(course, command, words, *, alone=False):
    with (
        pytest.raises(UsageError, match=words),
        holding(course, command, alone=alone),
    ):
        raise AssertionError


def test_a_course_is_served_by_one_and_by_the_next_when_that_has_ended(course):
    with holding(course, "autograder serve", alone=True):
        held = f"autograder serve, process {os.getpid()} on .* grades in this course; end that"
        refused(course, "autograder serve", held, alone=True)
        refused(course, "autograder grade", f"autograder grade cannot start: {held}")
    with holding(course, "autograder serve", alone=True):
        pass


def test_several_may_grade_beside_each_other_and_none_serves_meanwhile(course):
    with holding(course, "autograder serve", alone=True):
        pass
    mine = rf"autograder grade, process {os.getpid()} on \S+"
    with holding(course, "autograder grade"):
        with holding(course, "autograder regrade"):
            refused(
                course, "autograder serve", f"{mine} and autograder regrade, .* grade", alone=True
            )
        refused(course, "autograder serve", mine, alone=True)
    with holding(course, "autograder serve", alone=True):
        pass


def test_who_was_killed_holds_nothing_and_is_not_named(course):
    code = (
        "import sys, os; from pathlib import Path; from autograder.course import Course;"
        "from autograder.engines.holding import holding;"
        "holding(Course(Path(sys.argv[1])), 'autograder regrade').__enter__(); os._exit(9)"
    )
    with holding(course, "autograder serve", alone=True):
        pass
    with holding(course, "autograder grade"):
        subprocess.run([sys.executable, "-c", code, str(course.root)], check=False)
        refused(
            course, "autograder serve", "cannot start: autograder grade, [^,]* grades", alone=True
        )


def test_where_nobody_has_ever_served_a_command_leaves_no_file(course):
    with holding(course, "autograder grade"):
        assert list(course.root.iterdir()) == []
