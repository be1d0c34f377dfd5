from types import SimpleNamespace

import pytest

from autograder.display import _walls
from autograder.engines.run import Run


def run_in(*tiers):
    students = [f"s{number}" for number in range(len(tiers))]
    results = {s: SimpleNamespace(tier=tier) for s, tier in zip(students, tiers, strict=True)}
    return Run(None, results, tuple(students), 0)


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        ([0, 0], ", each shut in (the strongest sandbox: tier 0)"),
        ([0, 2], ", each shut in (a weaker sandbox, see docs/security.md: tier 2)"),
        ([None, None], ""),
        ([], ""),
    ],
)
def test_a_run_says_how_well_it_was_shut_in_at_its_weakest(tiers, words):
    assert _walls(run_in(*tiers)) == words
