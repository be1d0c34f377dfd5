"""The zoo takes longest of all tests: it is begun first, so that none of two processes waits."""

import pytest

LONGEST = "test_every_specimen_gets_what_its_first_line_says_and_nobody_is_harmed"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.name != LONGEST)  # the others stay in their order
