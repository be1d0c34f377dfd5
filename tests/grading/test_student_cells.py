import json

import pytest

from autograder.errors import StudentError
from autograder.grading.student_cells import read_cells


def read(*cells, **more):
    return read_cells(json.dumps({"cells": cells, **more}).encode())


def one(**parts):
    (cell,) = read({"cell_type": "code", "source": "", "metadata": {}, **parts})
    return cell


def test_a_cell_is_numbered_by_its_place_in_the_file():
    assert [cell.number for cell in read({}, None, 3, {})] == [1, 4]


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        ("code", "code"),
        ("markdown", "markdown"),
        ("heading", "markdown"),
        ("raw", "raw"),
        ("evil", "raw"),
        (3, "raw"),
        (["code"], "raw"),
        (None, "raw"),
    ],
)
def test_a_cell_is_of_one_of_three_types(given, type_):
    assert one(cell_type=given).type == type_


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = 1", "x = 1"),
        (["x = 1\n", "y = 2"], "x = 1\ny = 2"),
        (["x", 3, None, ["y"]], "x"),
        (3, ""),
        (None, ""),
        ({"a": 1}, ""),
        ("\ud800", "?"),
    ],
)
def test_a_text_is_joined_and_holds_nothing_that_utf_8_cannot(source, text):
    assert one(source=source).source == text


@pytest.mark.parametrize(
    ("metadata", "grade_id"),
    [
        ({"nbgrader": {"grade_id": "double"}}, "double"),
        ({"nbgrader": {"grade_id": 3}}, None),
        ({"nbgrader": {"grade_id": {"a": 1}}}, None),
        ({"nbgrader": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_id_is_a_text_or_none(metadata, grade_id):
    assert one(metadata=metadata).grade_id == grade_id


def test_a_cell_without_text_or_with_an_id_is_no_stray():
    assert one(source="x").is_stray
    assert not one(source=" \n").is_stray
    assert not one(source="x", metadata={"nbgrader": {"grade_id": "a"}}).is_stray


def test_worksheets_of_an_old_format_are_one_after_another():
    data = {"worksheets": [{"cells": [{"input": "x"}]}, {"cells": [{"source": "y"}]}]}
    assert [cell.source for cell in read_cells(json.dumps(data).encode())] == ["x", "y"]


def test_a_picture_is_kept_by_name_and_type():
    picture = {"a.png": {"image/png": "aGVsbG8="}}
    assert one(attachments=picture).attachments == picture
    assert one(attachments={"a.png": 3}).attachments == {}
    assert one(attachments=[3]).attachments == {}


def test_bytes_without_cells_are_no_notebook():
    for data in (b"", b"3", b"{}", b'{"cells": 3}', b'{"worksheets": [3]}'):
        with pytest.raises(StudentError, match="no Jupyter notebook"):
            read_cells(data)


@pytest.mark.parametrize(
    ("end", "ends_early"),
    [
        ('["x = ', True),
        ('["x = \\', True),
        ('["x = \\"', True),
        ('["x"', True),
        ('["x"]}], "n', True),
        ('["x" 1]}]}', False),
        ('["x\n"]}]}', False),
    ],
)
def test_a_file_whose_end_is_missing_is_told_from_one_that_is_damaged(end, ends_early):
    with pytest.raises(StudentError) as caught:
        read_cells(f'{{"cells": [{{"source": {end}'.encode())
    assert ("it ends too early, in line 1" in str(caught.value)) is ends_early
