import pytest

from autograder.course import Course, told_files


@pytest.fixture
def course(tmp_path):
    """A course with two assignments, and the name of a third that only its bundle is left of."""
    for name in ("hw1_optimizers", "hw2"):
        (tmp_path / "assignments" / name).mkdir(parents=True)
        (tmp_path / "assignments" / name / f"{name}.py").write_text("")
    (tmp_path / "build" / "hw0").mkdir(parents=True)
    return Course(tmp_path)


@pytest.fixture
def submit(course):
    def submit(*paths):
        for path in paths:
            file = course.root / "submitted" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"{}")

    return submit


@pytest.mark.parametrize(
    "name",
    [
        "hw2 (1).ipynb",
        "HW2.ipynb",
        "hw2-Copy1.ipynb",
        "hw2_ana.ipynb",
        "Untitled.IPYNB",
    ],
)
def test_the_only_notebook_of_a_folder_is_taken_whatever_its_name(course, submit, name):
    submit(f"ana/hw2/{name}", "ana/hw2/timestamp.txt", "ana/hw2/.hidden.ipynb")
    assert course.submitted("hw2")["ana"].name == name


def test_the_notebook_of_the_right_name_counts_before_all_others(course, submit):
    submit("ana/hw2/hw2 (1).ipynb", "ana/hw2/hw2.ipynb")
    assert course.submitted("hw2")["ana"].name == "hw2.ipynb"


def test_of_several_notebooks_none_is_taken_and_a_message_names_them(course, submit):
    submit("ana/hw2/b.ipynb", "ana/hw2/a.ipynb", "ana/hw2/timestamp.txt")
    assert course.submitted("hw2")["ana"].name == "hw2.ipynb"
    assert told_files(course.root / "submitted/ana/hw2") == "; there are: a.ipynb, b.ipynb"


def test_of_many_files_a_message_names_some_and_of_none_nothing(course, submit):
    submit(*(f"ana/hw2/{i}.txt" for i in range(7)))
    told = told_files(course.root / "submitted/ana/hw2")
    assert told == "; there are: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more"
    assert told_files(course.root / "nowhere") == ""


def test_a_name_that_utf_8_cannot_hold_is_told_as_far_as_it_can(course, submit):
    submit("ana/hw2/\udcff.txt")
    assert told_files(course.root / "submitted/ana/hw2") == "; there are: \\udcff.txt"


def test_what_is_submitted_under_no_assignment_s_name_is_found(course, submit):
    submit(
        "ana/hw2/hw2.ipynb",
        "ben/HW2/hw2.ipynb",
        "cem/hw2 /hw2.ipynb",
        "dan/hw2.ipynb",
        "eve/hw1-optimizers/x.ipynb",
        "fay/lecture notes/x.txt",
        "fay/.ipynb_checkpoints/x",
        "fay/hw0/hw0.ipynb",
        "fay/remark.txt",
        "no_folder",
    )

    def astray(*names):
        found = course.astray(names)
        return {str(p.relative_to(course.root / "submitted")): name for p, name in found.items()}

    unknown = {"fay/lecture notes": None}
    second = {"ben/HW2": "hw2", "cem/hw2 ": "hw2", "dan/hw2.ipynb": "hw2"}
    assert astray("hw2") == second | unknown
    assert astray("hw1_optimizers") == {"eve/hw1-optimizers": "hw1_optimizers"} | unknown
    assert astray() == unknown


def test_a_course_without_submissions_has_nothing_astray(course):
    assert course.astray(["hw2"]) == {}
