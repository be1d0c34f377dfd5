"""What earns a point in a student's own notebook, where its check stands, earns it here."""

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.errors import StudentError
from autograder.grading.submission import parse_submission


def find(notebook, grade_id):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(grade_id)


def merge(notebook, *grade_ids):
    """Merge cells as Jupyter does: the first keeps its type and its metadata."""
    first, *others = (find(notebook, grade_id) for grade_id in grade_ids)
    first.source = "\n\n".join(cell.source for cell in (first, *others))
    for cell in others:
        notebook.cells.remove(cell)


def above(submission, check):
    """Return the cells that stand above a check that is there."""
    (place,) = submission.places[check]
    return submission.cells[:place]


def names_after(cells):
    """Return what the notebook's names are after some cells ran, each as far as it comes."""
    names = {"check": lambda *_: lambda function: function}  # as a session has it, for its part
    for cell in cells:
        try:
            exec(compile(cell.source, "<cell>", "exec"), names)
        except Exception:  # as a session does
            continue
    return names


def works(submission):
    names = names_after(submission.cells)
    return (names["double"](3), names["triple"](3)) == (6, 9)


@pytest.fixture
def heal(release, submit, solutions):
    """Answer the release, change it, and heal it."""

    def heal(change, answers=solutions):
        def add(notebook):
            for cell in notebook.cells:
                if cell.metadata["nbgrader"]["grade_id"].endswith("_is_right"):
                    cell.source = check_of(cell)
            change(notebook)

        for cell in release.cells:
            if cell.metadata["nbgrader"]["grade_id"].endswith("_is_right"):
                cell.source = check_of(cell)
        submission = parse_submission(submit(answers=answers, change=add), release)
        nbformat.validate(submission.notebook)
        numbers = [cell.number for cell in submission.cells]
        assert len(set(numbers)) == len(numbers)
        return submission

    return heal


def check_of(cell):
    """Return the text of a check's cell as releases have it."""
    name = cell.metadata["nbgrader"]["grade_id"]
    return (
        f'@check("{name}")\ndef {name}(student, reference, rng):\n    ...\n\n\nself_check({name})'
    )


def test_an_import_added_to_a_given_cell_runs_behind_the_restored_one(heal):
    def change(notebook):
        find(notebook, "setup").source += "\nimport math\nFACTOR2 = FACTOR"

    submission = heal(change)
    assert names_after(submission.cells)["FACTOR2"] == 2
    restored, added = submission.cells[:2]
    assert restored.kind == "given"
    assert restored.source == find(submission.notebook, "setup").source
    assert (added.number, added.kind) == (2, "own")
    assert submission.notes == (
        "cell 2 (setup) was edited and restored; what was added runs behind the restored text",
    )
    assert submission.notebook.cells[2].source == "import math\nFACTOR2 = FACTOR"


def test_an_answer_merged_into_the_given_cell_above_it_counts(heal):
    submission = heal(lambda notebook: merge(notebook, "setup", "double"))
    assert works(submission)


def test_an_answer_merged_with_a_check_counts_at_the_place_of_that_check(heal):
    submission = heal(lambda notebook: merge(notebook, "setup", "double", "double_is_right"))
    assert works(submission)
    assert "double" in names_after(above(submission, "double_is_right"))
    assert not any("self_check" in cell.source for cell in submission.cells)

    submission = heal(lambda notebook: merge(notebook, "double", "double_is_right", "triple"))
    assert works(submission)


def test_a_whole_notebook_in_one_cell_counts(heal):
    def change(notebook):
        merge(notebook, "setup", "double", "double_is_right", "triple", "triple_is_right")

    submission = heal(change)
    assert works(submission)
    assert [cell.kind for cell in submission.cells] == ["given", "own"]


@pytest.mark.parametrize("where", ["above", "below"])
def test_what_stands_in_a_check_cell_counts_where_it_stands(heal, where):
    def change(notebook):
        notebook.cells.remove(find(notebook, "double"))
        check = find(notebook, "double_is_right")
        answer = "def double(x):\n    return 2 * x"
        check.source = (
            f"{answer}\n{check.source}" if where == "above" else f"{check.source}\n{answer}"
        )

    submission = heal(change)
    assert works(submission)
    seen = names_after(above(submission, "double_is_right"))
    assert ("double" in seen) == (where == "above")
    assert above(submission, "triple_is_right") == submission.cells


def test_both_sides_of_a_self_check_run_once_and_in_their_order(heal):
    def change(notebook):
        check = find(notebook, "double_is_right")
        check.source = f"early = [1]\n{check.source}\nearly.append(2)"

    submission = heal(change)
    assert names_after(submission.cells)["early"] == [1, 2]
    assert [cell.number for cell in submission.cells] == [2, 3, 4, 8, 5], "8 is no student's cell"
    assert names_after(above(submission, "double_is_right"))["early"] == [1]


def test_an_edited_copy_of_a_check_runs_what_is_more_in_it(heal):
    def change(notebook):
        copy = nbformat.from_dict(find(notebook, "double_is_right"))
        copy.id, copy.source = "copy", "late = 1\n" + copy.source
        notebook.cells.append(copy)

    submission = heal(change)
    assert works(submission)
    assert names_after(submission.cells)["late"] == 1
    assert not any("check" in cell.source for cell in submission.cells)


def test_what_stands_below_a_self_check_in_an_own_cell_runs(heal):
    own = new_code_cell("self_check(double_is_right)\nlate = 1")
    submission = heal(lambda notebook: notebook.cells.append(own))
    assert names_after(submission.cells)["late"] == 1
    assert submission.notebook.cells[-1].source == own.source


def test_given_code_that_uses_an_answer_merged_above_it_has_it(heal, release):
    late = nbformat.from_dict(find(release, "setup"))
    late.source, late.id, late.metadata["nbgrader"]["grade_id"] = "SIX = double(3)", "six", "six"
    release.cells.insert(3, late)

    def change(notebook):
        answer = find(notebook, "double")
        merged = new_code_cell(f"{answer.source}\n\n{late.source}", metadata=late.metadata)
        notebook.cells[notebook.cells.index(answer)] = merged

    submission = heal(change)
    assert works(submission)
    assert names_after(submission.cells)["SIX"] == 6


def test_a_changed_constant_and_a_changed_function_of_ours_do_not_count(heal):
    def change(notebook):
        cell = find(notebook, "setup")
        cell.source = cell.source.replace("FACTOR = 2", "FACTOR = 3\nlr = 0.1")

    submission = heal(change)
    assert works(submission)
    assert names_after(submission.cells)["lr"] == 0.1
    assert submission.notes == (
        "cell 2 (setup) was edited and restored; what was added runs behind the restored text; "
        "the change to FACTOR does not count",
    )
    assert "FACTOR = 3" in submission.notebook.cells[2].source, "staff see it"


def test_a_remark_in_a_given_cell_is_shown_to_staff(heal):
    def change(notebook):
        find(notebook, "setup").source += "\n# I could not install numpy"

    submission = heal(change)
    assert submission.notebook.cells[2].source == "# I could not install numpy"
    note = "cell 2 (setup) was edited and restored; what was written there is shown to staff"
    assert submission.notes == (note,)


def test_another_layout_of_all_cells_is_one_note_and_shows_nothing(heal, release):
    def change(notebook):
        for grade_id in ("setup", "double_is_right", "triple_is_right"):
            cell = find(notebook, grade_id)
            cell.source = cell.source.replace("import numpy as np", "import   numpy as np")
            cell.source = cell.source.replace(
                "(student, reference, rng)", "(student,reference, rng)"
            )

    submission = heal(change)
    assert works(submission)
    assert len(submission.notebook.cells) == len(release.cells)
    assert submission.notes == (
        "cells 2 (setup), 4 (double_is_right), 6 (triple_is_right) were edited and restored",
    )


def test_a_given_cell_that_is_missing_runs_before_all_that_may_need_it(heal):
    def change(notebook):
        notebook.cells.remove(find(notebook, "setup"))
        notebook.cells[:1] = [new_code_cell("SIX = 3 * FACTOR")]

    assert names_after(heal(change).cells)["SIX"] == 6


def test_a_given_cell_that_became_text_is_restored_and_what_it_has_more_is_shown(heal):
    def change(notebook):
        cell = find(notebook, "setup")
        text = new_markdown_cell(cell.source + "\nlr = 0.1", metadata=cell.metadata)
        notebook.cells[notebook.cells.index(cell)] = text

    submission = heal(change)
    assert works(submission)
    assert "lr" not in names_after(submission.cells)
    assert submission.notebook.cells[2].source == "lr = 0.1"


def test_code_in_the_place_of_a_prompt_runs(heal, solutions):
    def change(notebook):
        notebook.cells.remove(find(notebook, "double"))
        title = find(notebook, "title")
        code = new_code_cell("FACTOR = 2\n" + solutions["double"], metadata=title.metadata)
        notebook.cells[notebook.cells.index(title)] = code

    assert works(heal(change))


@pytest.fixture
def prompted(release):
    """The release with a prompt above its manual question."""
    prompt = new_markdown_cell("## Proof\n\nProve it.", id="prompt")
    prompt.metadata["nbgrader"] = {**find(release, "title").metadata["nbgrader"]}
    prompt.metadata["nbgrader"]["grade_id"] = "prompt"
    release.cells.insert(len(release.cells) - 1, prompt)

    def parse(change):
        notebook = nbformat.from_dict(release)
        change(notebook)
        return parse_submission(nbformat.writes(notebook).encode(), release)

    return parse


def test_text_typed_into_a_prompt_is_an_answer_for_staff(prompted):
    def change(notebook):
        find(notebook, "prompt").source += "\n\nBy induction."

    submission = prompted(change)
    assert submission.answers == {"proof": "By induction."}
    assert [cell.source for cell in submission.notebook.cells][-3:-1] == [
        "## Proof\n\nProve it.",
        "By induction.",
    ]
    assert submission.notes == (
        "cell 7 (prompt) was edited and restored; what was written there is shown to staff",
    )


def test_text_merged_with_its_prompt_is_an_answer_for_staff(prompted):
    def change(notebook):
        find(notebook, "proof").source = "By induction."
        merge(notebook, "prompt", "proof")

    submission = prompted(change)
    assert submission.answers == {"proof": "By induction."}
    assert "By induction." in [cell.source for cell in submission.notebook.cells]


def test_text_in_the_prompt_and_in_the_answer_are_one_answer(prompted):
    def change(notebook):
        find(notebook, "prompt").source += "\nFirst."
        find(notebook, "proof").source = "Second."

    assert prompted(change).answers == {"proof": "First.\n\nSecond."}


def test_a_picture_in_a_prompt_reaches_staff(prompted):
    picture = {"a.png": {"image/png": "aGVsbG8="}}

    def change(notebook):
        find(notebook, "prompt").source += "\n![](attachment:a.png)"
        find(notebook, "prompt")["attachments"] = picture

    submission = prompted(change)
    assert submission.answers == {"proof": "![](attachment:a.png)"}
    assert submission.notebook.cells[-2]["attachments"] == picture


@pytest.fixture
def two_proofs(release):
    """The release with a second proof, and a prompt of it."""
    for name, source in (("prompt", "## Another\n\nProve it."), ("second", "Your proof here.")):
        cell = nbformat.from_dict(find(release, "proof" if name == "second" else "title"))
        cell.id = name
        cell.metadata["nbgrader"]["grade_id"], cell.source = name, source
        release.cells.append(cell)
    return release


@pytest.mark.parametrize("first", ["proof", "prompt"])
def test_answers_merged_with_the_prompts_between_them_are_all_answered(two_proofs, first):
    notebook = nbformat.from_dict(two_proofs)
    find(notebook, "proof").source = "First."
    find(notebook, "second").source = "Second."
    merge(notebook, *["proof", "prompt", "second"][first == "prompt" :])
    answers = parse_submission(nbformat.writes(notebook).encode(), two_proofs).answers
    assert "First." in answers["proof"]
    assert "Second." in answers["second"]


def test_a_deleted_answer_behind_another_answer_is_none(two_proofs):
    notebook = nbformat.from_dict(two_proofs)
    find(notebook, "proof").source = "First."
    for grade_id in ("prompt", "second"):
        notebook.cells.remove(find(notebook, grade_id))
    answers = parse_submission(nbformat.writes(notebook).encode(), two_proofs).answers
    assert answers == {"proof": "First."}


def test_half_of_a_split_prompt_with_an_answer_below_it_is_an_answer(prompted):
    def change(notebook):
        prompt = find(notebook, "prompt")
        half = nbformat.from_dict(prompt)
        prompt.source, half.source, half.id = "## Proof", "Prove it.\n\nBy induction.", "half"
        notebook.cells.insert(notebook.cells.index(prompt) + 1, half)

    assert "By induction." in prompted(change).answers["proof"]


def test_a_prompt_that_lost_words_holds_no_answer(prompted):
    def change(notebook):
        find(notebook, "prompt").source = "## Proof"

    submission = prompted(change)
    assert submission.answers == {}
    assert submission.notes == ("cell 7 (prompt) was edited and restored",)


def test_text_in_the_prompt_of_a_question_of_code_is_no_answer_to_a_proof(prompted):
    def change(notebook):
        find(notebook, "title").source += "\nDone!"

    submission = prompted(change)
    assert submission.answers == {}
    assert "Done!" in [cell.source for cell in submission.notebook.cells]


def foreign(notebook):
    for cell in notebook.cells:
        cell.metadata["nbgrader"]["grade_id"] += "_of_another"


def test_the_notebook_of_another_assignment_needs_attention_and_is_named(submit, release):
    with pytest.raises(
        StudentError, match=r'^the notebook is another assignment\'s, "Multiples": '
    ):
        parse_submission(submit(change=foreign), release)


def test_numbered_ids_that_all_assignments_share_make_no_notebook_ours(submit, release):
    def change(notebook):
        foreign(notebook)
        notebook.cells[0].metadata["nbgrader"]["grade_id"] = "title"

    with pytest.raises(StudentError, match="another assignment's"):
        parse_submission(submit(change=change), release)


def test_a_cell_of_another_assignment_among_the_students_own_is_no_matter(submit, release):
    def change(notebook):
        notebook.cells = [
            find(notebook, "title"),
            find(notebook, "double"),
            find(notebook, "triple"),
        ]
        for cell in notebook.cells:
            cell.metadata = {}
        notebook.cells[0].metadata["nbgrader"] = {"grade_id": "solution_of_another"}

    assert works(parse_submission(submit(change=change), release))


def test_a_stub_is_known_by_its_code(release, submit):
    def change(notebook):
        find(notebook, "double").source += "\n\n# I did this one elsewhere"
        find(notebook, "triple").source += "\nx = 1"

    cells = parse_submission(submit(answers={}, change=change), release).cells
    assert [cell.kind for cell in cells] == ["given", "stub", "answer"]


INSERTED = st.sampled_from(["a{0} = {0}", "def g{0}():\n    return {0}", "import math as m{0}"])


@given(
    st.lists(
        st.tuples(st.sampled_from(["setup", "double_is_right", "triple_is_right"]), INSERTED),
        max_size=5,
    ),
    st.booleans(),
)
def test_whatever_is_put_above_or_below_what_is_given_runs_and_that_is_unchanged(edits, above):
    release, texts = RELEASE[0]
    notebook = nbformat.from_dict(release)
    for cell in notebook.cells:
        cell.source = texts.get(cell.metadata["nbgrader"]["grade_id"], cell.source)
    for number, (grade_id, pattern) in enumerate(edits):
        cell, line = find(notebook, grade_id), pattern.format(number)
        cell.source = f"{line}\n{cell.source}" if above else f"{cell.source}\n{line}"
    submission = parse_submission(nbformat.writes(notebook).encode(), release)
    assert works(submission)
    names = names_after(submission.cells)
    for number, (_, pattern) in enumerate(edits):
        bound = {"a": f"a{number}", "d": f"g{number}", "i": f"m{number}"}[pattern[0]]
        assert bound in names
    assert find(release, "setup").source in [cell.source for cell in submission.cells]


RELEASE = []


@pytest.fixture(scope="module", autouse=True)
def _release_for_examples(bundle_content, solutions):
    RELEASE.append((nbformat.reads(bundle_content[2].decode(), 4), solutions))
