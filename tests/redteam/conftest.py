"""What tests of the red team share."""

from pathlib import Path

import pytest

from autograder.audit.publish import compile_and_publish
from autograder.course import Course, find_course
from tests.redteam.small import NAME, write_small_course
from tests.small_course import made_once
from tests.warm.commands import warm

__all__ = ["warm"]


@pytest.fixture(scope="session")
def compiled_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The small course, compiled once for all workers; no test changes it."""

    def make(root: Path) -> None:
        compile_and_publish(write_small_course(root), NAME, lambda _: None)

    return find_course(made_once(tmp_path_factory, "zoo", make))
