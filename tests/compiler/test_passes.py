import copy
import io
import json

import nbformat
import pytest
from nbgrader.nbgraderformat import ValidationError
from nbgrader.preprocessors import CheckCellMetadata

from autograder.compiler import passes
from autograder.compiler.pieces import Piece
from autograder.compiler.source import Kind

CELLS = [
    """
    # %% [markdown] tags=["x"]
    # # Title
    """,
    """
    # %%
    given = 1
    """,
    """
    # %% [markdown] manual=true question="proof" points=2.5
    # Prove it.
    #
    # ### BEGIN SOLUTION
    # By magic.
    # ### END SOLUTION
    #
    # === BEGIN MARK SCHEME ===
    # 2 for magic.
    # === END MARK SCHEME ===
    """,
    """
    # %% manual=true question="plot" points=1
    # Plot it.
    ### BEGIN SOLUTION
    plot = 1
    ### END SOLUTION
    # === BEGIN MARK SCHEME ===
    # 1 for a plot.
    # === END MARK SCHEME ===
    """,
    """
    # %%
    ### BEGIN SOLUTION
    answer = 3
    ### END SOLUTION
    """,
]


@pytest.fixture
def compiled(workshop):
    return workshop.compile(*CELLS)


def labels(notebook: dict) -> dict[str, dict]:
    marks = [cell["metadata"]["nbgrader"] for cell in notebook["cells"]]
    return {mark["grade_id"]: mark for mark in marks}


def test_cells_carry_what_nbgrader_wants_of_their_kind(compiled):
    marks = labels(compiled.notebook)
    assert list(marks) == [
        "given_0",
        "given_1",
        "solution_double",
        "double_is_right",
        "given_double_is_right_1",
        "given_double_is_right_2",
        "proof",
        "plot",
        "solution_answer",
    ]

    def kind(grade_id):
        mark = marks[grade_id]
        return mark["grade"], mark["solution"], mark["locked"], mark.get("points")

    assert kind("given_1") == (False, False, True, None)
    assert kind("solution_double") == (False, True, False, None)
    assert kind("double_is_right") == (True, False, True, 2.0)
    assert kind("proof") == (True, True, False, 2.5)
    assert kind("plot") == (True, True, False, 1.0)
    assert all(mark["schema_version"] == 3 and mark["task"] is False for mark in marks.values())
    assert marks["given_double_is_right_1"]["cell_type"] == "markdown"


def test_an_edited_given_cell_keeps_its_id_and_a_new_one_moves_none_elsewhere(workshop):
    before = workshop.compile("# %%\nx = 1", "# %%\n### BEGIN SOLUTION\na = 3\n### END SOLUTION")
    after = workshop.compile(
        "# %%\nx = 2", "# %%\nnew = 1", "# %%\n### BEGIN SOLUTION\na = 3\n### END SOLUTION"
    )
    assert set(after.release) - set(before.release) == {"given_double_is_right_2"}


def test_a_second_solution_cell_of_a_name_gets_an_id_of_its_own(workshop):
    region = "# %%\n### BEGIN SOLUTION\nanswer = 3\n### END SOLUTION"
    ids = list(workshop.compile(region, region).release)
    assert ids[-2:] == ["solution_answer", "solution_answer_5"]


def test_the_release_is_a_valid_notebook_for_jupyter_and_nbgrader(compiled):
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.validator import Validator

    notebook = nbformat.reads(json.dumps(compiled.notebook), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    validator = Validator()
    validator.stream = io.StringIO()
    assert validator._get_changed_cells(notebook) == []
    assert validator._get_type_changed_cells(notebook) == []


def test_an_untouched_answer_scores_zero_and_a_written_one_waits_for_a_person(compiled):
    from nbgrader.utils import determine_grade

    blank = nbformat.reads(json.dumps(compiled.notebook), as_version=4)
    solved = nbformat.reads(compiled.artefacts.solution, as_version=4)
    for before, after in zip(blank.cells[1:], solved.cells, strict=True):
        assert after.metadata == before.metadata
        if before.metadata.nbgrader.grade and before.metadata.nbgrader.solution:
            assert determine_grade(before)[0] == 0
            assert determine_grade(after)[0] is None


def test_the_solution_notebook_keeps_answers_and_rubrics_that_the_release_lacks(compiled):
    assert compiled.release["proof"] == "Prove it.\n\n*Write your answer here.*"
    assert compiled.release["plot"] == ('# Plot it.\nraise NotImplementedError("your turn")')
    for grade_id in ("proof", "plot"):
        assert "MARK SCHEME" in compiled.solution[grade_id]
        assert "BEGIN SOLUTION" in compiled.solution[grade_id]


def test_nothing_of_the_source_notebook_is_left_in_the_metadata(compiled):
    assert compiled.notebook["metadata"] == passes.METADATA
    for cell in compiled.notebook["cells"]:
        assert set(cell["metadata"]) <= {"nbgrader", "deletable", "editable"}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_students_cannot_delete_cells_or_edit_given_ones(compiled):
    for cell in compiled.notebook["cells"]:
        metadata = cell["metadata"]
        assert metadata["deletable"] is False
        assert metadata.get("editable", True) is metadata["nbgrader"]["solution"]


def test_regions_of_nbgraders_own_are_cut_too(workshop):
    cell = """
        # %%
        @check("double", points=1)
        @case("visible")
        def own(student, reference, rng):
            x = rng.normal()
            ### BEGIN HIDDEN TESTS
            assert x != 5
            ### END HIDDEN TESTS
            assert_close(student.double(x), reference.double(x))
    """
    assert "5" not in workshop.compile(cell).release["own"]


def test_attachments_stay_where_the_text_shows_them():
    attachments = {"a.png": {"image/png": "AAAA"}, "b.png": {"image/png": "BBBB"}}
    release = "![a](attachment:a.png)\n### BEGIN SOLUTION\n![b](attachment:b.png)\n### END SOLUTION"
    piece = Piece("markdown", Kind.MANUAL, "q", release, release, 1.0, attachments)
    notebook = passes.release_notebook([piece])
    assert notebook.cells[0].attachments == {"a.png": {"image/png": "AAAA"}}
    assert passes.solution_notebook(notebook, [piece]).cells[0].attachments == attachments


def test_each_pass_is_a_plain_function_of_a_notebook():
    names = [one.__name__ for one in passes.PASSES]
    assert names.index("label_cells") < names.index("compute_checksums")
    assert names[-1] == "check_metadata"


@pytest.mark.parametrize(
    "wrong",
    [{"points": "three"}, {"points": -1.0}, {"schema_version": "3"}, {"grade_id": "title"}, {}],
)
def test_metadata_is_refused_as_nbgrader_refuses_it(wrong):
    text = Piece("markdown", Kind.GIVEN, "title", "# Title", "# Title")
    notebook = passes.release_notebook(
        [text, Piece("code", Kind.CHECK, "f_is_right", "f()", "", 1)]
    )
    notebook.cells[1].metadata.nbgrader.update(wrong)

    def is_refused(check):
        try:
            check(copy.deepcopy(notebook), {})
        except (ValidationError, TypeError):
            return True
        return False

    nbgraders = is_refused(CheckCellMetadata().preprocess)
    assert (
        is_refused(lambda notebook, _: passes.check_metadata(notebook)) == nbgraders == bool(wrong)
    )


def test_given_cells_below_two_parts_of_one_answer_have_ids_of_their_own(workshop):
    part = "# %%\n### BEGIN SOLUTION\nanswer = {}\n### END SOLUTION\n\n# %%\nprint(answer)"
    notebook = workshop.compile(part.format(1), part.format(2)).notebook
    ids = [name for name in labels(notebook) if "answer" in name]
    assert ids == [
        "solution_answer",
        "given_solution_answer_1",
        "solution_answer_6",
        "given_solution_answer_6_1",
    ]
