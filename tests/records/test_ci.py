"""What CI shows of grades: summaries and annotations, in which no student's text acts."""

import json
import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.artefacts.grades import grade_of
from autograder.artefacts.results import Status, Verdict, digest_of
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Wanted
from autograder.records.notebook_lines import cell_lines
from autograder.records.roster import Roster

NEXT = "\n::error::forged\r\n::set-output name=a::b"


def notebook(*cells):
    made = [
        nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks} if marks else {})
        for source, marks in cells
    ]
    return nbformat.v4.new_notebook(cells=made)


ANSWERED = notebook(
    ("import numpy", {}),
    ("def sgd_step(w):\n    return w / 0", {"grade_id": "sgd_solution", "solution": True}),
    ("self_check(sgd_matches)", {"grade_id": "sgd_matches", "grade": True, "solution": False}),
    ("def conv2d(x):\n    pass", {"grade_id": "conv_solution", "solution": True}),
    ("self_check(conv_matches)", {"grade_id": "conv_matches", "grade": True, "solution": False}),
)


@pytest.fixture
def export(make):
    """Return the text of an exporter's only file."""

    def export(to, grades, notebooks=()):
        wanted = Wanted([(make.manifest, grades)], Roster(), notebooks=dict(notebooks))
        (data,) = EXPORTERS[to].export(wanted).files.values()
        return data.decode()

    return export


@pytest.fixture
def submitted(make, tmp_path):
    """Return the grade of a notebook with some cases of its first question, and its place."""

    def submitted(*cases, earned=0.0, conv=None, student="ada"):
        path = tmp_path / "hw1.ipynb"
        path.write_text(nbformat.writes(ANSWERED))
        questions = make.sgd(*cases, earned=earned), conv or make.conv(), make.proof()
        result = make.result(student, *questions, submission=digest_of(path.read_bytes()))
        return grade_of(make.manifest, student, result), {("hw1", student): path}

    return submitted


def lines_of(text):
    """Return kind, properties and message of each workflow command."""
    found = []
    for line in text.splitlines():
        kind, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
        found.append((kind, dict(p.split("=", 1) for p in properties.split(",")), message))
    return found


def test_an_annotation_points_at_the_line_that_raised(export, submitted, make):
    raised = make.case(Verdict.ERRORED, message="ZeroDivisionError", place="cell 2, line 2")
    grade, notebooks = submitted(raised)
    (path,) = notebooks.values()
    ((kind, where, message),) = lines_of(export("annotations", {"ada": grade}, notebooks))
    assert kind == "error"
    assert where["title"] == "1.1 Gradient descent%3A 0 of 4 points"
    assert where["file"] == str(path)
    assert "return w / 0" in path.read_text().splitlines()[int(where["line"]) - 1]
    assert message == "one step: your code raised an error: ZeroDivisionError"


def test_without_such_a_line_it_points_at_the_answer_above_the_check(export, submitted, make):
    grade, notebooks = submitted(make.case(Verdict.FAILED, message="4 of 4 differ"))
    (path,) = notebooks.values()
    ((_, where, _),) = lines_of(export("annotations", {"ada": grade}, notebooks))
    assert "def sgd_step" in path.read_text().splitlines()[int(where["line"]) - 1]


def test_where_another_notebook_stands_now_it_points_at_no_line(export, submitted, make):
    grade, notebooks = submitted(make.case(Verdict.FAILED))
    (path,) = notebooks.values()
    path.write_text("{}")
    ((_, where, _),) = lines_of(export("annotations", {"ada": grade}, notebooks))
    assert set(where) == {"file", "title"}
    ((_, where, _),) = lines_of(export("annotations", {"ada": grade}))
    assert set(where) == {"title"}


def test_full_points_and_what_is_not_decided_are_no_errors(export, submitted, make):
    waits = make.conv(Verdict.PENDING, 0.0, Status.PENDING)
    grade, notebooks = submitted(make.case(), earned=4.0, conv=waits)
    assert export("annotations", {"ada": grade}, notebooks) == ""


def test_what_could_not_be_graded_is_a_warning(export, make):
    result = make.result("ada", make.sgd(status=Status.NEEDS_ATTENTION), fault="ours")
    ((kind, where, message),) = lines_of(
        export("annotations", {"ada": grade_of(make.manifest, "ada", result)})
    )
    assert (kind, where) == ("warning", {"title": "hw1%2C ada"})
    assert message == "This could not be graded. It is not counted as zero: staff will act."


def test_no_text_of_a_student_is_a_command(export, submitted, make, hostile):
    message = f"{NEXT}{hostile}"
    grade, notebooks = submitted(make.case(Verdict.FAILED, message=message), student="a\nb")
    text = export("annotations", {"a\nb": grade}, notebooks)
    assert len(lines_of(text)) == len(text.splitlines()) == 1


def test_nothing_hidden_is_annotated_or_summed_up(export, submitted, make):
    hidden = make.case(
        Verdict.ERRORED, name="SECRETCASE", hidden=True, message="TOLD", place="cell 2, line 2"
    )
    grade, notebooks = submitted(hidden)
    (path,) = notebooks.values()
    text = export("annotations", {"ada": grade}, notebooks)
    assert "hidden case 1" in text
    ((_, where, _),) = lines_of(text)
    assert "def sgd_step" in path.read_text().splitlines()[int(where["line"]) - 1]
    for shown in (text, export("markdown", {"ada": grade})):
        assert "SECRETCASE" not in shown
        assert "TOLD" not in shown


def test_the_summary_of_one_student_tells_each_question(export, submitted, make):
    grade, _ = submitted(make.case(Verdict.FAILED, message="4 of 4 differ"), earned=1.0)
    text = export("markdown", {"ada": grade})
    assert text.startswith("## ")
    assert "**7 of 15 points so far**" in text
    assert "| 1.1 Gradient descent | 1 | 4 | part of the points |" in text
    assert "| 2 A proof | – | 5 | waiting for your instructor |" in text
    assert "4 of 4 differ" in text


def test_the_summary_of_a_class_counts_and_names_who_needs_attention_first(export, make):
    broken = make.result("zoe", make.sgd(status=Status.NEEDS_ATTENTION), fault="ours")
    results = [make.result("ada", make.sgd(), make.conv(), make.proof(4.0)), broken]
    grades = {r.student: grade_of(make.manifest, r.student, r) for r in results}
    text = export("markdown", grades)
    assert "2 submitted: " in text
    assert "1 needs attention" in text
    assert text.index("zoe") < text.index("ada")
    many = {f"s{n}": grade_of(make.manifest, f"s{n}", results[0]) for n in range(250)}
    assert "and 50 more" in export("markdown", many)
    assert "Nobody has submitted anything." in export("markdown", {})


def test_no_text_acts_as_markup(export, submitted, make):
    words = "```\n</details><script>alert(1)</script> | a | **b** [c](http://d) @all #1"
    grade, _ = submitted(make.case(Verdict.FAILED, message=words), student="<b>|`x`")
    text = export("markdown", {"<b>|`x`": grade})
    fence = re.search(r"^(`{4,})text$", text, re.MULTILINE)
    assert fence, "the fence is longer than what is in it"
    outside = text[: fence.start()] + text[text.index(f"\n{fence[1]}\n") :]
    assert "<script>" not in outside
    other, _ = submitted(make.case(), earned=4.0, student="other")
    whole = export("markdown", {"<b>|`x`": grade, "other": other})
    assert "<b>" not in whole
    assert r"\<b\>\|\`x\`" in whole
    site, _ = submitted(make.case(), student="www.a.org")
    linked = export("markdown", {"www.a.org": site, "other": other})
    assert r"www\.a.org" in linked


SOURCES = st.lists(
    st.text(alphabet=st.sampled_from('ab"\\\n{}[],: é\u2028"source"')), min_size=1, max_size=5
)


@given(SOURCES, st.booleans(), st.sampled_from([None, 1, 4]))
def test_a_line_of_a_source_is_found_in_any_notebook(sources, together, indent):
    cells = [
        {
            "metadata": {"source": "no", "nbgrader": {"grade_id": f"c{n}"}},
            "outputs": [{"source": ["no"]}],
            "source": source if together else source.splitlines(keepends=True),
            "cells": [{"source": "no"}],
        }
        for n, source in enumerate(sources)
    ]
    text = json.dumps({"metadata": {"cells": [1]}, "cells": cells}, indent=indent)
    rows, found = text.split("\n"), cell_lines(text.encode())
    assert [cell.grade_id for cell in found] == [f"c{n}" for n in range(len(sources))]
    for cell, told in zip(found, cells, strict=True):
        wanted = [told["source"]] if together else told["source"]
        assert len(cell.lines) == len(wanted)
        for number, one in enumerate(wanted, 1):
            assert json.dumps(one) in rows[cell.line(number) - 1]
        assert cell.line(99) == (cell.lines[-1] if wanted else 1)


def test_a_file_that_says_its_cells_twice_has_no_lines():
    cell = '{"metadata": {}, "source": ["a"]}'
    assert cell_lines(f'{{"cells": [{cell}, {cell}], "cells": [{cell}]}}'.encode()) == []


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{}", b'{"cells": 3}', b'{"cells": [3]}', b"[" * 100_000]
)
def test_what_is_no_notebook_has_no_lines(data):
    assert cell_lines(data) == []
