"""The zoo takes longest of all tests: it is begun first, so that none of two processes waits."""

from pathlib import Path

import pytest

from autograder.audit.publish import compile_and_publish
from autograder.course import Course, find_course
from tests.redteam.small import NAME, write_small_course
from tests.small_course import made_once
from tests.warm.commands import warm

__all__ = ["warm"]

LONGEST = "test_every_specimen_gets_what_its_first_line_says_and_nobody_is_harmed"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.name != LONGEST)  # the others stay in their order


@pytest.fixture(scope="session")
def compiled_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The small course, compiled once for all workers; no test changes it."""

    def make(root: Path) -> None:
        compile_and_publish(write_small_course(root), NAME, lambda _: None)

    return find_course(made_once(tmp_path_factory, "zoo", make))
