import base64

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from autograder.artefacts.results import Verdict
from autograder.records.autograded import write_autograded

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"pixels").decode()
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def grade(tmp_path, make):
    """Writes the graded notebook and returns it read again."""

    def write(notebook, result=None, **options):
        path = tmp_path / "autograded" / "ada" / "hw1" / "hw1.ipynb"
        write_autograded(path, notebook, result or make.result(), make.manifest, **options)
        graded = nbformat.read(path, as_version=4)
        nbformat.validate(graded)
        return graded

    return write


@pytest.fixture
def outputs(grade, notebook):
    """What is left of outputs in a student's cell."""

    def keep(*outputs):
        notebook.cells.append(new_code_cell("x", outputs=list(outputs)))
        return grade(notebook).cells[-1].outputs

    return keep


@pytest.fixture
def mixed(make):
    """A result with a visible case that passed and a hidden one that did not."""
    cases = (
        make.case(margin=0.3),
        make.case(Verdict.FAILED, "tie", True, message="2 differ", diagnosis="uphill", margin=7.0),
    )
    return make.result("ada", make.sgd(*cases, earned=2.0), make.conv())


def test_each_check_cell_says_its_verdicts_and_nothing_hidden(grade, notebook, mixed):
    notebook.cells[2].outputs = [new_output("stream", text="student's own words: all passed")]
    graded = grade(notebook, mixed)
    assert [output.text for output in graded.cells[2].outputs] == [
        "sgd_matches: 2 of 4 points\n"
        "  one step: passed\n"
        "  hidden case 1: not the expected result\n"
        "      looks like: uphill\n"
    ], "nbgrader's feedback is made of this notebook"
    assert "conv_matches: 6 of 6 points" in graded.cells[4].outputs[0].text


def test_a_notebook_without_results_is_written_without_verdicts(grade, notebook, make):
    graded = grade(notebook, make.unreadable())
    assert [len(cell.get("outputs", [])) for cell in graded.cells] == [0] * 6


def test_the_caller_keeps_the_notebook_as_it_was(grade, notebook):
    before = nbformat.writes(notebook)
    grade(notebook)
    assert nbformat.writes(notebook) == before


def test_nbgrader_finds_its_cells(grade, notebook):
    graded = grade(notebook)
    ids = [cell.metadata.nbgrader.grade_id for cell in graded.cells]
    assert ids == [cell.metadata.nbgrader.grade_id for cell in notebook.cells]
    check, proof = graded.cells[2].metadata.nbgrader, graded.cells[5].metadata.nbgrader
    assert (check.grade, check.solution, check.locked, check.points) == (True, False, True, 4.0)
    assert (proof.grade, proof.solution, proof.locked, proof.points) == (True, True, False, 5.0)


@pytest.mark.parametrize("metadata", [None, "x", [], {"grade_id": None}, {"grade_id": "a b"}])
def test_metadata_of_no_known_form_goes(grade, notebook, metadata):
    notebook.cells.append(new_code_cell("x", metadata={"nbgrader": metadata, "tags": ["x"]}))
    assert grade(notebook).cells[-1].metadata == {}


def test_of_outputs_only_text_and_pictures_stay(outputs):
    data = {
        "text/plain": "figure",
        "image/png": PNG,
        "text/html": SCRIPT,
        "image/svg+xml": "<svg onload=alert(1)>",
        "text/markdown": SCRIPT,
        "text/latex": "$x$",
        "application/javascript": "alert(1)",
        "application/vnd.jupyter.widget-view+json": {},
    }
    (kept,) = outputs(
        new_output("display_data", data=data, metadata={"image/png": {"width": '"><script>'}}),
        new_output("display_data", data={"text/html": SCRIPT}),
    )
    assert kept.data == {"text/plain": "figure", "image/png": PNG}
    assert kept.metadata == {}


@pytest.mark.parametrize("picture", ['"><script>', "AAAA", "", PNG + '"', "PHN2Zz4="])
def test_a_picture_that_is_none_goes(outputs, picture):
    assert outputs(new_output("display_data", data={"image/png": picture})) == []


def test_an_error_keeps_its_traceback_as_plain_text(outputs):
    (error,) = outputs(
        new_output("error", ename="E\x1b[0m", evalue="v\u202e", traceback=["\x1b[31mline\x1b[0m"])
    )
    assert (error.ename, error.evalue, error.traceback) == ("E", "v", ["line"])


def test_outputs_end_at_one_megabyte(grade, notebook, tmp_path):
    flood = [new_output("stream", text="x" * 100_000) for _ in range(1000)]
    notebook.cells += [new_code_cell("1", outputs=flood), new_code_cell("2", outputs=flood)]
    graded = grade(notebook)
    for cell in graded.cells[-2:]:
        assert "left out" in cell.outputs[-1].text
    assert len(nbformat.writes(graded)) < 1_100_000
    assert len(graded.cells[2].outputs) == 1, "verdicts are not the student's outputs"


def test_a_photo_of_a_proof_stays_attached(grade, notebook):
    attachments = {"p.png": {"image/png": PNG, "text/html": SCRIPT}, "q": {"image/png": "no"}}
    notebook.cells[5].attachments = attachments
    notebook.cells[5].source = "![my proof](attachment:p.png)"
    cell = grade(notebook).cells[5]
    assert cell.attachments == {"p.png": {"image/png": PNG}}
    assert cell.source == "![my proof](attachment:p.png)"


def test_formulas_stay_right(grade, notebook):
    formulas = r"$a<b$, $a < b$, $x_{i}\le[0,1](t)$, $$\sum_{i<n} \alpha \text{if } x<0$$"
    notebook.cells[5].source = formulas
    assert grade(notebook).cells[5].source.replace(" ", "") == formulas.replace(" ", "")


def test_nothing_acts_where_formgrader_shows_it(grade, notebook, parse_page, hostile):
    from nbconvert import HTMLExporter

    attack = "\n\n".join(
        [
            hostile,
            "<a href='javascript:alert(3)'>x</a>",
            "[a](javascript:alert(4)) [b]( javascript:alert(5) ) ![c](http://evil/alert)",
            "[d][r]\n\n[r]: javascript:alert(6)",
            "<javascript:alert(7)> <svg/onload=alert(8)> <!--alert--> <?alert?>",
            r"$\href{javascript:alert(9)}{x}$ $\style{x:alert}{y}$ $\require{html}$",
            "[e](&#106;avascript:alert(10))",
        ]
    )
    evil = {"tags": [attack], "nbgrader": {"grade_id": attack, "grade": True, "points": attack}}
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"a": attack}}
    notebook.metadata.title = attack
    notebook.metadata.kernelspec = {"name": attack, "display_name": attack}
    notebook.cells[5].source = attack
    notebook.cells += [
        new_markdown_cell(attack, metadata=evil, id="m"),
        new_raw_cell(attack, metadata=evil | {"raw_mimetype": "text/html"}),
        new_code_cell(
            attack,
            metadata=evil,
            outputs=[
                new_output("stream", name="stdout", text=attack),
                new_output("error", ename=attack, evalue=attack, traceback=[attack]),
                new_output(
                    "execute_result",
                    execution_count=1,
                    data={"text/plain": attack, "image/png": attack},
                    metadata={"image/png": {"width": attack}},
                ),
            ],
        ),
    ]
    for cell in notebook.cells:
        cell.metadata.evil = attack
    graded = grade(notebook)
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(graded)
    found = parse_page(page)
    assert "alert(1)" in found.words, "the attack is there, as text"
    acting = [
        value
        for name, value in found.attributes
        # nbconvert makes links of bare addresses, which wait for a click.
        if value and "alert" in value and not (name == "href" and value.startswith("http"))
    ]
    acting += [data for tag, data in found.data if tag == "script" and "alert" in data]
    assert acting == []
    assert not [name for name, _ in found.attributes if name in ("onerror", "onload")]
    for command in (r"\href", r"\style", r"\require"):
        assert command not in graded.cells[5].source, "MathJax would follow it"
