"""The files of a bank: they are read, and each belongs to a question."""

import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.compiler.bank_files import read_bank_texts
from autograder.errors import SourceError
from autograder.grading.oracle import load_bundle_oracle

MISTAKE = 'from autograder import mistake\nmistake("zero", double=lambda x: 0)\n'


def test_banks_are_read_by_path_and_in_their_order(workshop):
    workshop.source()
    for name in ("b", "_shared", "a"):
        workshop.bank(name, f"# {name}\n")
    found = read_bank_texts(workshop.course, "hw")
    assert list(found) == ["bank/_shared.py", "bank/a.py", "bank/b.py"]
    assert found["bank/a.py"] == "# a\n"


def test_an_assignment_needs_no_bank(workshop):
    workshop.source()
    assert read_bank_texts(workshop.course, "hw") == {}


def test_lines_of_windows_are_lines(workshop):
    workshop.source()
    workshop.bank("double", "").write_bytes(b"x = 1\r\ny = 2\r\n")
    assert read_bank_texts(workshop.course, "hw") == {"bank/double.py": "x = 1\ny = 2\n"}


def test_a_bank_of_no_question_is_refused_with_the_nearest(workshop):
    workshop.bank("duoble", MISTAKE)
    with pytest.raises(SourceError) as error:
        workshop.compile()
    assert str(error.value) == (
        "assignments/hw/bank/duoble.py: no check belongs to a question 'duoble'; did you mean"
        " 'double'?"
    )


def test_a_bank_that_begins_with_an_underscore_is_of_no_question(workshop):
    workshop.bank("_shared", "ZERO = 0\n")
    workshop.bank("double", f"from bank._shared import ZERO\n{MISTAKE}")
    bundle = parse_bundle(workshop.compile().artefacts.bundle, "b")
    assert set(bundle.banks) == {"bank/_shared.py", "bank/double.py"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"x = = 1\n", "line 1 is not Python (invalid syntax): 'x = = 1'"),
        (b"x = '\xff'\n", "the file is not UTF-8"),
    ],
)
def test_a_bank_that_is_not_python_is_refused(workshop, data, sentence):
    workshop.source()
    workshop.bank("double", "").write_bytes(data)
    with pytest.raises(SourceError) as error:
        read_bank_texts(workshop.course, "hw")
    assert str(error.value) == f"assignments/hw/bank/double.py: {sentence}"


def test_what_a_bank_needs_of_the_reference_is_in_the_bundle(workshop):
    workshop.reference(**{"more.py": "def zero(x):\n    return 0 * x\n"})
    text = (
        'from autograder import mistake\nfrom reference.more import zero\nmistake("z", double=zero)'
    )
    workshop.bank("double", text)
    bundle = parse_bundle(workshop.compile().artefacts.bundle, "b")
    assert "reference/more.py" in bundle.reference


def test_a_mistake_may_cost_as_much_as_its_question_has(workshop):
    workshop.bank("double", MISTAKE.replace("x: 0)", "x: 0, costs=2)"))
    bundle = parse_bundle(workshop.compile().artefacts.bundle, "b")
    (mistake,) = load_bundle_oracle(bundle).banks["double"].mistakes
    assert mistake.costs == 2


def test_a_mistake_that_costs_more_than_its_question_has_is_refused(workshop):
    workshop.bank("double", MISTAKE.replace("x: 0)", "x: 0, costs=2.5)"))
    with pytest.raises(SourceError) as error:
        workshop.compile()
    assert str(error.value) == (
        "assignments/hw/bank/double.py: 'zero': costs must be at most the points of the question, "
        "2, got 2.5"
    )
