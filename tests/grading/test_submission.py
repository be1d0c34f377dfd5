import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.artefacts.bundle import read_bundle
from autograder.errors import StudentError
from autograder.grading.submission import parse_submission

NO_NOTEBOOK = "^the file is no Jupyter notebook: it "


def find(notebook, grade_id):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(grade_id)


def remove(notebook, grade_id):
    notebook.cells.remove(find(notebook, grade_id))


def copy_of(notebook, grade_id, source=None):
    """Put a copy of a cell behind it, as Jupyter's copy and paste does."""
    cell = nbformat.from_dict(find(notebook, grade_id))
    cell.id = f"copy-{len(notebook.cells)}"
    cell.source = cell.source if source is None else source
    notebook.cells.insert(notebook.cells.index(find(notebook, grade_id)) + 1, cell)


def ran(submission):
    """Return what the notebook's names are after its cells ran."""
    names = {}
    for _, source, _ in submission.cells:
        try:
            exec(source, names)
        except Exception:  # as a session does: the cell is passed over
            continue
    return names


def works(submission):
    names = ran(submission)
    return (names["double"](3), names["triple"](3)) == (6, 9)


@pytest.fixture
def parse(release, submit):
    """Parse a file, or the submission that `submit` makes of the arguments."""

    def parse(data=None, **options):
        submission = parse_submission(submit(**options) if data is None else data, release)
        assert_whole(submission)
        return submission

    return parse


def assert_whole(submission):
    """Hold what staff get against the format, and what is run against the notes."""
    nbformat.validate(submission.notebook)
    nbformat.writes(submission.notebook).encode()
    numbers = [number for number, _, _ in submission.cells]
    assert len(set(numbers)) == len(numbers)


def test_neither_bundle_nor_submission_is_validated(bundle_path, submit, monkeypatch):
    """Each worker would build what validates: a tenth of what a small class costs it."""
    added = [new_code_cell("x = 1", id="a")]
    data = submit(change=lambda notebook: notebook.cells.extend(added))
    monkeypatch.setattr(nbformat.validator, "get_validator", None)
    release = read_bundle(bundle_path).release
    assert parse_submission(data, release).notebook.cells[-1].source == "x = 1"


def test_an_untouched_release_is_taken_as_it_is(parse, release):
    submission = parse(answers={})
    assert submission.notes == ()
    assert submission.answers == {}
    assert [c.source for c in submission.notebook.cells] == [c.source for c in release.cells]


def test_answers_are_run_in_their_place_and_checks_are_not(parse):
    submission = parse()
    assert submission.notes == ()
    assert works(submission)
    assert [number for number, _, _ in submission.cells] == [2, 3, 5]


def test_cells_say_what_they_are_and_checks_how_many_stand_above_them(parse, solutions):
    submission = parse(answers={"double": solutions["double"]}, before=["early = 1"])
    assert [cell.kind for cell in submission.cells] == ["own", "given", "answer", "stub"]
    assert {name: list(places) for name, places in submission.places.items()} == {
        "double_is_right": [3],
        "triple_is_right": [4],
    }


def test_a_check_that_is_missing_may_have_stood_anywhere_behind_its_answer(parse):
    def change(notebook):
        remove(notebook, "double_is_right")
        at = notebook.cells.index(find(notebook, "double")) + 1
        notebook.cells[at:at] = [new_code_cell("x = 1"), new_code_cell("y = 2")]

    submission = parse(change=change)
    assert list(submission.places["double_is_right"]) == [2, 3, 4]
    assert list(submission.places["triple_is_right"]) == [5]


def test_own_cells_run_where_they_stand(parse):
    submission = parse(before=["early = 1"], after=["late = double(early)"])
    assert ran(submission)["late"] == 2
    assert submission.notebook.cells[0].source == "early = 1"
    assert submission.notes == ()


def test_an_edited_given_cell_is_restored_and_noted(parse):
    def edit(notebook):
        find(notebook, "setup").source = "FACTOR = 3"

    submission = parse(change=edit)
    assert works(submission)
    assert submission.notes == (
        "cell 2 (setup) was edited and restored; the change to FACTOR does not count",
    )


def test_white_space_at_line_ends_is_no_edit(parse):
    def edit(notebook):
        find(notebook, "setup").source = "\n".join(
            line + "  " for line in find(notebook, "setup").source.splitlines()
        )

    assert parse(change=edit).notes == ()


def test_a_deleted_given_cell_is_restored_and_noted(parse):
    submission = parse(change=lambda n: remove(n, "setup"))
    assert works(submission)
    assert submission.notes == ("the given cell setup was missing and is restored",)


def test_a_deleted_check_is_restored_to_the_notebook_and_not_run(parse, release):
    submission = parse(change=lambda n: remove(n, "double_is_right"))
    assert find(submission.notebook, "double_is_right").source == "self_check(double_is_right)"
    assert not any("self_check" in source for _, source, _ in submission.cells)


def test_a_deleted_answer_is_missing_and_noted(parse):
    submission = parse(change=lambda n: remove(n, "double"))
    assert "the answer cell double is missing" in submission.notes
    assert "double" not in ran(submission)


@pytest.mark.parametrize(
    ("first", "second", "counts"), [("1", "2 * x", "right"), ("2 * x", "1", "wrong")]
)
def test_the_last_copy_of_an_answer_counts_as_it_does_in_jupyter(parse, first, second, counts):
    def duplicate(notebook):
        find(notebook, "double").source = f"def double(x):\n    return {first}"
        copy_of(notebook, "double", f"def double(x):\n    return {second}")

    submission = parse(change=duplicate)
    assert works(submission) == (counts == "right")
    assert submission.notes == ("cell 4 is a copy of double; the last one counts",)


def test_a_copy_of_a_check_is_left_out(parse):
    submission = parse(change=lambda n: copy_of(n, "double_is_right"))
    assert works(submission)
    assert submission.notes == ("cell 5 is a copy of the given cell double_is_right; left out",)


def test_an_edited_copy_of_a_given_cell_is_the_students_own_and_runs(parse):
    submission = parse(change=lambda n: copy_of(n, "setup", "import math"))
    assert "math" in ran(submission)


def test_a_retyped_answer_is_taken_as_code(parse):
    def retype(notebook):
        cell = find(notebook, "double")
        notebook.cells[notebook.cells.index(cell)] = new_markdown_cell(
            cell.source, metadata=cell.metadata
        )

    submission = parse(change=retype)
    assert works(submission)
    assert submission.notes == ("cell 3 (double) had become a markdown cell; taken as code",)


def test_a_reordered_notebook_is_put_back(parse):
    submission = parse(change=lambda n: n.cells.reverse())
    assert works(submission)
    assert "the cells were in another order than in the release; put back" in submission.notes


def strip(notebook):
    for cell in notebook.cells:
        cell.metadata = {}


def test_answers_without_any_metadata_still_count(parse):
    assert works(parse(change=strip))


def test_a_notebook_without_ids_of_cells_still_counts(parse):
    def downgrade(notebook):
        notebook.nbformat_minor = 4
        for cell in notebook.cells:
            del cell["id"]

    assert works(parse(change=downgrade))


def test_points_and_kinds_in_the_students_metadata_are_not_believed(parse, release):
    def cheat(notebook):
        for cell in notebook.cells:
            cell.metadata["nbgrader"] |= {"points": 1000, "locked": False, "grade": False}
        notebook.metadata["kernelspec"] = {"name": "evil", "display_name": "evil"}
        find(notebook, "setup").source = "FACTOR = 3"

    submission = parse(change=cheat)
    assert works(submission)
    cells = [cell for cell in submission.notebook.cells if "nbgrader" in cell.metadata]
    for cell, given_cell in zip(cells, release.cells, strict=True):
        assert cell.metadata == given_cell.metadata
    assert submission.notebook.metadata == release.metadata


def test_a_written_answer_is_told_from_the_prompt(parse):
    def answer(notebook):
        find(notebook, "proof").source = "By induction."

    assert parse(change=answer).answers == {"proof": "By induction."}
    assert parse(change=lambda n: None).answers == {}


def test_a_written_answer_in_a_copy_of_its_cell_reaches_staff(parse):
    submission = parse(change=lambda n: copy_of(n, "proof", "By induction."))
    assert "proof" in submission.answers


def test_a_written_answer_whose_cell_lost_its_id_reaches_staff(parse):
    def answer(notebook):
        find(notebook, "proof").source = "By induction."
        strip(notebook)

    assert "proof" in parse(change=answer).answers


def test_a_picture_in_a_written_answer_is_kept(parse):
    picture = {"a.png": {"image/png": "aGVsbG8="}}

    def answer(notebook):
        find(notebook, "proof").source = "![](attachment:a.png)"
        find(notebook, "proof")["attachments"] = picture

    submission = parse(change=answer)
    assert find(submission.notebook, "proof").get("attachments") == picture


def test_an_empty_cell_is_not_taken_for_an_empty_answer_cell(parse, release):
    find(release, "proof").source = ""

    def answer(notebook):
        notebook.cells.insert(0, new_markdown_cell(""))
        find(notebook, "proof").source = "By induction."

    assert parse(change=answer).answers == {"proof": "By induction."}


def test_outputs_of_answers_are_kept_and_those_of_given_cells_are_not(parse):
    def output(notebook):
        for grade_id in ("double", "setup"):
            find(notebook, grade_id).outputs = [new_output("stream", text="hello")]

    submission = parse(change=output)
    assert "".join(find(submission.notebook, "double").outputs[0].text) == "hello"
    assert find(submission.notebook, "setup").outputs == []


def changed(data, change):
    raw = json.loads(data)
    change(raw)
    return json.dumps(raw).encode()


BAD_OUTPUTS = [
    {},
    {"output_type": "evil"},
    {"output_type": "stream"},
    {"output_type": "stream", "name": "stdout", "text": 3},
    {"output_type": "display_data", "data": 3, "metadata": {}},
    {"output_type": "display_data", "data": {"text/html": {"a": 1}}, "metadata": None},
    {"output_type": "error", "ename": 1, "evalue": "", "traceback": ""},
    {"output_type": "display_data", "data": {"application/json": "x"}, "metadata": {}},
    {"output_type": "display_data", "data": {"application/x+json": "x", "": "y"}, "metadata": {}},
    {"output_type": "execute_result", "data": {"text/plain": ["x", 3]}, "execution_count": "x"},
]


@pytest.mark.parametrize("output", BAD_OUTPUTS)
@pytest.mark.parametrize("where", [2, 0])
def test_an_output_that_is_none_is_dropped(parse, submit, output, where):
    def add(raw):
        raw["cells"].insert(0, {"cell_type": "code", "source": "", "outputs": [], "metadata": {}})
        raw["cells"][where + 1 if where else 0]["outputs"] = [output]

    assert works(parse(changed(submit(), add)))


def test_an_output_that_utf_8_cannot_hold_is_healed(parse, submit):
    def add(raw):
        raw["cells"][2]["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": "a\ud800b"}
        ]

    assert works(parse(changed(submit(), add)))


@pytest.mark.parametrize("depth", [100, 450, 900])
def test_an_output_nested_deeply_harms_nobody(release, submit, depth):
    def add(raw):
        raw["cells"][2]["outputs"] = ["@"]

    deep = b'{"a":' * depth + b"1" + b"}" * depth
    data = changed(submit(), add).replace(b'"@"', deep)
    try:
        submission = parse_submission(data, release)
    except StudentError:
        return
    assert works(submission)
    assert_whole(submission)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"nothing",
        b"[]",
        b"3",
        b"null",
        b'"cells"',
        b"{}",
        b'{"cells": 3}',
        b'{"cells": {}}',
        b'{"cells": null, "nbformat": 4}',
        b'{"worksheets": [3], "nbformat": 3}',
        b'{"worksheets": null, "nbformat": 3}',
        b"[" * 100_000,
        b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"cells": [{"source": ' + b'{"a":' * 50_000,
        b'{"cells": [], "nbformat": ' + b"9" * 5000 + b"}",
        '{"cells": []}'.encode("utf-16"),
    ],
    ids=range(18),
)
def test_bytes_that_are_no_notebook_are_the_students_error(release, data):
    with pytest.raises(StudentError, match=NO_NOTEBOOK):
        parse_submission(data, release)


def test_a_byte_order_mark_is_no_matter(parse, submit):
    assert works(parse(b"\xef\xbb\xbf" + submit()))


def test_too_many_cells_are_the_students_error(release):
    with pytest.raises(StudentError, match=r"^the notebook has 5001 cells; at most 5000 are read"):
        parse_submission(json.dumps({"cells": [{}] * 5001}).encode(), release)


@pytest.mark.parametrize("cell", [None, 3, "code", [], [{}]])
def test_a_cell_that_is_none_is_passed_over(parse, submit, cell):
    submission = parse(changed(submit(), lambda raw: raw["cells"].insert(0, cell)))
    assert works(submission)


@pytest.mark.parametrize("grade_id", ["double", "setup"])
def test_cells_that_are_none_mix_up_no_numbers(parse, submit, grade_id):
    def damage(raw):
        raw["cells"] = [
            c for c in raw["cells"] if c["metadata"]["nbgrader"]["grade_id"] != grade_id
        ]
        raw["cells"][:0] = [None, None, None]

    parse(changed(submit(), damage))


@pytest.mark.parametrize(
    "change",
    [
        {"source": 3},
        {"source": None},
        {"source": {"a": 1}},
        {"source": [1, None, ["x"]]},
        {"metadata": None},
        {"metadata": []},
        {"metadata": {"nbgrader": 3}},
        {"metadata": {"nbgrader": {"grade_id": {"a": 1}}}},
        {"metadata": {"nbgrader": {"grade_id": ["double"]}}},
        {"outputs": 3},
        {"outputs": [3, None, "x"]},
        {"cell_type": 3},
        {"cell_type": "heading"},
        {"cell_type": ["code"]},
        {"id": {}},
        {"attachments": 3},
    ],
)
def test_a_damaged_cell_costs_no_other_cell(parse, submit, change):
    submission = parse(changed(submit(), lambda raw: raw["cells"][4].update(change)))
    assert ran(submission)["double"](3) == 6


def test_a_text_in_lines_is_joined(parse, submit):
    def split(raw):
        for cell in raw["cells"]:
            cell["source"] = "".join(cell["source"]).splitlines(keepends=True)

    assert works(parse(changed(submit(), split)))


def test_a_lone_surrogate_in_a_text_is_replaced(parse, submit):
    def damage(raw):
        raw["cells"][2]["source"] += "\n# \ud800"

    assert works(parse(changed(submit(), damage)))


def third(*cells, **more):
    return json.dumps(
        {
            "nbformat": 3,
            "nbformat_minor": 0,
            "metadata": {"name": ""},
            "worksheets": [{"cells": list(cells), "metadata": {}}],
            **more,
        }
    ).encode()


def old_code(source):
    return {
        "cell_type": "code",
        "input": source,
        "language": "python",
        "metadata": {},
        "outputs": [],
        "collapsed": False,
        "prompt_number": 1,
    }


def test_a_notebook_of_format_3_is_read(parse, solutions):
    cells = [old_code("import numpy as np\n\nFACTOR = 2"), *map(old_code, solutions.values())]
    assert works(parse(third(*cells)))


@pytest.mark.parametrize(
    "cell",
    [
        {"cell_type": "heading", "level": 10**13, "source": "x", "metadata": {}},
        {"cell_type": "heading", "level": "x", "source": 3, "metadata": {}},
        {"cell_type": "heading", "level": -1},
        {"cell_type": "code"},
        {"cell_type": "code", "input": 3, "outputs": 3, "language": 4},
        {"cell_type": "code", "input": "", "outputs": [{"output_type": "pyout"}]},
        {"cell_type": "code", "input": "", "outputs": [{"output_type": "pyerr", "a": {}}]},
        {"cell_type": "code", "input": "", "outputs": [3, None]},
        {},
        None,
        3,
    ],
)
def test_a_damaged_notebook_of_format_3_is_read_or_refused(release, cell):
    try:
        submission = parse_submission(third(old_code("x = 1"), cell), release)
    except StudentError:
        return
    assert_whole(submission)


@pytest.mark.parametrize(
    "more",
    [
        {"worksheets": None},
        {"worksheets": 3},
        {"worksheets": [3]},
        {"worksheets": [{"cells": 3}]},
        {"nbformat": 2},
        {"nbformat": 1},
        {"nbformat": 0},
        {"nbformat": -7},
        {"nbformat": 2.5},
        {"nbformat": False},
        {"metadata": None},
        {"metadata": 3},
    ],
)
def test_an_old_notebook_of_another_shape_is_read_or_refused(release, more):
    try:
        submission = parse_submission(third(old_code("x = 1"), **more), release)
    except StudentError:
        return
    assert_whole(submission)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("code")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
CELL = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {},
        optional={
            "cell_type": st.sampled_from(["code", "markdown", "raw", "heading", 3]) | JSON,
            "source": st.text() | st.lists(st.text()) | JSON,
            "input": st.text(),
            "level": st.integers(-5, 5),
            "metadata": st.fixed_dictionaries(
                {"nbgrader": st.fixed_dictionaries({"grade_id": st.sampled_from(
                    ["setup", "double", "triple", "proof", "title", "double_is_right", "", 3]
                ) | JSON}) | JSON}
            ) | JSON,
            "outputs": st.lists(
                st.fixed_dictionaries(
                    {"output_type": st.sampled_from(["stream", "display_data", "error", "x"])},
                    optional={
                        "text": st.text() | JSON,
                        "name": st.just("stdout") | JSON,
                        "data": st.dictionaries(st.text(), st.text()) | JSON,
                        "metadata": st.just({}) | JSON,
                    },
                ) | JSON,
                max_size=3,
            ) | JSON,
            "attachments": JSON,
        },
    ),
)  # fmt: skip
NOTEBOOK = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {"cells": st.lists(CELL, max_size=6) | JSON},
        optional={"nbformat": st.sampled_from([4, 3, 2, 5]) | JSON, "metadata": JSON},
    ),
    st.fixed_dictionaries(
        {
            "nbformat": st.sampled_from([3, 2, 1]),
            "worksheets": st.lists(
                st.fixed_dictionaries({"cells": st.lists(CELL, max_size=4)}), max_size=2
            ),
            "metadata": st.just({"name": "x"}) | JSON,
        }
    ),
)
RELEASES = []


@pytest.fixture(scope="module", autouse=True)
def _release_for_examples(bundle_content):
    RELEASES.append(nbformat.reads(bundle_content[2].decode(), 4))


def fuzzed(data):
    try:
        submission = parse_submission(data, RELEASES[0])
    except StudentError:
        return
    assert_whole(submission)


@given(NOTEBOOK)
def test_any_json_is_a_submission_or_the_students_error(raw):
    fuzzed(json.dumps(raw).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_submission_or_the_students_error(data):
    fuzzed(data)
