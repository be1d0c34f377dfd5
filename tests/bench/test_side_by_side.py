"""Two graders' scores, cell by cell; what runs them is run by hand, as it takes both minutes."""

from autograder.bench import side_by_side
from autograder.bench.measure import Usage
from autograder.bench.side_by_side import Comparison

ADA = "ada", "ps1", "first"


def usage(cpu):
    return Usage(cpu, cpu, 0.0, "rusage")


def test_each_score_that_differs_is_named():
    theirs = {(*ADA, "same"): 1.0, (*ADA, "forged"): 1.0, (*ADA, "essay"): None}
    ours = {(*ADA, "same"): 1.0, (*ADA, "forged"): 0.0, (*ADA, "essay"): None, (*ADA, "new"): 2.0}
    found = Comparison(theirs, ours, usage(40.0), usage(2.0), 1, 2, 3, 1, ("old",))
    assert found.differences == [((*ADA, "forged"), 1.0, 0.0), ((*ADA, "new"), None, 2.0)]
    assert list(found.lines()) == [
        "1 submissions, 2 cells with the same score",
        "  ada / ps1 / first / forged: nbgrader 1, autograder 0",
        "  ada / ps1 / first / new: nbgrader for staff, autograder 2",
        "1 of 3 test cells are hardened; the source's own solution passes 2",
        "nbgrader cannot generate old",
        "processor time: nbgrader 40.0 s, autograder 2.0 s, 20 times less",
    ]


def test_where_nobody_has_submitted_the_solution_and_the_release_are(tmp_path):
    for folder in ("source", "release"):
        (tmp_path / folder / "ps1").mkdir(parents=True)
        (tmp_path / folder / "ps1" / "p.ipynb").write_text(folder)
    assert side_by_side._assignments(tmp_path) == ["ps1"]
    side_by_side._submit_if_nobody_has(tmp_path, "ps1")
    side_by_side._submit_if_nobody_has(tmp_path, "ps1")
    submitted = {path.parts[-3]: path.read_text() for path in tmp_path.glob("submitted/*/ps1/*")}
    assert submitted == {"solution": "source", "blank": "release"}


def test_a_course_that_is_none_is_said(tmp_path, capsys):
    assert side_by_side.main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
