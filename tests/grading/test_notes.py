from pathlib import Path

import pytest

from autograder.artefacts.results import Result, Status
from autograder.grading.notes import MAX_NOTES, all_notes, naming_file


def told(kind, count):
    return [f"{kind} {i}" for i in range(count)]


@pytest.mark.parametrize(("healed", "ran"), [(0, 0), (3, 2), (0, 30), (30, 0), (15, 15)])
def test_what_ran_is_told_before_what_was_healed_and_nothing_is_cut_needlessly(healed, ran):
    notes = all_notes(told("healed", healed), told("ran", ran))
    assert list(notes) == told("ran", ran) + told("healed", healed)


@pytest.mark.parametrize(("healed", "ran"), [(40, 1), (1, 40), (40, 40), (20, 20), (0, 31)])
def test_of_many_notes_both_kinds_are_told_and_the_others_counted(healed, ran):
    *notes, last = all_notes(told("healed", healed), told("ran", ran))
    assert len(notes) == MAX_NOTES
    assert last == f"and {healed + ran - MAX_NOTES} more"
    assert notes[0] == "ran 0"
    assert ("healed 0" in notes) == (healed > 0)


def test_a_file_of_another_name_that_was_graded_is_named():
    result = Result(
        *("hw1", "ada", "sha256:0", "sha256:0", Status.GRADED, "cpu", "", "0", 1.0, 1.0),
        notes=("cell 1 raised ValueError",),
        questions=(),
    )
    assert naming_file(result, Path("submitted/ada/hw1/hw1.ipynb")) is result
    named = naming_file(result, Path("submitted/ada/hw1/hw1 (1)\udcff.ipynb"))
    assert named.notes == (
        "cell 1 raised ValueError",
        "there was no hw1.ipynb; hw1 (1)\\udcff.ipynb, the only notebook there, was graded",
    )
