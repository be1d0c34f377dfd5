import dataclasses
from types import SimpleNamespace

import pytest

from autograder.display import Display, _walls
from autograder.engines.run import Run


def run_in(*levels):
    students = [f"s{number}" for number in range(len(levels))]
    of_students = zip(students, levels, strict=True)
    results = {student: SimpleNamespace(isolation=level) for student, level in of_students}
    return Run(None, results, {}, tuple(students), 0)


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (["namespaces"] * 2, ", each shut in (the strongest sandbox: isolation level namespaces)"),
        (
            ["namespaces", "own user"],
            ", each shut in (a weaker sandbox, see docs/security.md: isolation level own user)",
        ),
        ([None, None], ""),
        ([], ""),
    ],
)
def test_a_run_says_how_well_it_was_shut_in_at_its_weakest(levels, words):
    assert _walls(run_in(*levels)) == words


def test_a_run_says_what_it_left_as_it_was(capsys):
    """To people, where standard output is for machines."""
    manifest = SimpleNamespace(assignment="hw")
    run = dataclasses.replace(run_in(), manifest=manifest, waiting=("ada",), former=("bo", "cy"))
    Display(quiet=True).show(None, run)
    out, said = capsys.readouterr()
    said = " ".join(said.split())
    assert out == ""
    assert "ada has a newer submission, which is not graded yet" in said
    assert "2 submissions have results from before, which stand" in said
    assert "autograder regrade hw --preview" in said
