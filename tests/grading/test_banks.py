"""A bank's text becomes what its answers stand for, or one sentence that says where it is wrong."""

import pytest

from autograder.artefacts.bundle import Cell
from autograder.errors import SourceError
from autograder.grading.oracle import load_oracle

REFERENCE = {
    "reference/__init__.py": "",
    "reference/steps.py": '''"""Steps."""

from __future__ import annotations


def rate() -> float:
    return 0.5


def step(w, grad: Unknown):
    """Return w - lr * grad: w - lr * grad is downhill."""
    lr = rate()
    return w - lr * grad


def other(w):
    return w


class Model:
    """A model, with depth = 1."""

    depth = 1

    def layers(self):
        return [self.depth] * 2
''',
}
NOTEBOOK = (
    "from reference.steps import step, other, Model\nanswer = 0.6\ndef given(x):\n    return x"
    "\nfor _ in range(2):\n    pass"
)
HEAD = "from autograder import alternative, mistake\n"


def load(**banks):
    texts = {f"bank/{name}.py": HEAD + text for name, text in banks.items()}
    return load_oracle([Cell("given", 1, NOTEBOOK)], REFERENCE, "hw", "hw.py", banks=texts)


def mistakes(text, question="step"):
    return load(**{question: text}).banks[question].mistakes


def problem(text, question="step"):
    with pytest.raises(SourceError) as caught:
        load(**{question: text})
    assert caught.value.file == f"bank/{question}.py"
    return str(caught.value).removeprefix(f"bank/{question}.py: ")


def test_an_answer_stands_for_the_function_of_the_questions_name():
    (one,) = mistakes("@mistake('uphill')\ndef _(w, grad):\n    return w + grad")
    assert one.values["step"](1, 2) == 3
    assert one.values["step"].__name__ == "step"
    assert (one.title, one.label) == ("uphill", "uphill")


def test_an_answer_of_another_known_name_stands_for_that():
    (one,) = mistakes("@mistake('twice')\ndef other(w):\n    return 2 * w")
    assert list(one.values) == ["other"]


def test_an_answer_without_a_name_is_the_questions_where_the_notebook_has_an_underscore_too():
    (one,) = mistakes("@mistake('uphill')\ndef _(w, grad):\n    return w + grad")
    assert list(one.values) == ["step"]


def test_of_says_what_an_answer_stands_for():
    (one,) = mistakes("@mistake('shallow', of='Model')\nclass Other:\n    depth = 0")
    assert one.values["Model"].depth == 0
    assert one.values["Model"].__qualname__ == "Model"


def test_mistakes_and_alternatives_are_kept_apart_in_their_order():
    bank = load(step="mistake('b', answer=1)\nalternative('a', answer=2)\nmistake('c', answer=3)")
    bank = bank.banks["step"]
    assert [one.title for one in bank.mistakes] == ["b", "c"]
    assert [one.values for one in bank.alternatives] == [{"answer": 2}]


@pytest.mark.parametrize(
    "text",
    [
        "mistake('x', nothing=1)",
        "@mistake('x', of='nothing')\ndef _(w): ...",
        "mistake('x', edit=('a', 'b'), of='nothing')",
    ],
)
def test_what_the_notebook_does_not_have_is_refused(text):
    assert problem(text) == (
        "'x' stands for 'nothing', which the notebook does not have; say what it stands for with"
        " of="
    )


def test_a_question_without_a_function_of_its_name_needs_of():
    assert problem("@mistake('x')\ndef _(w): ...", "explained").startswith(
        "'x' stands for 'explained', which the notebook does not have"
    )


def test_an_edit_is_the_reference_with_one_piece_replaced():
    (one,) = mistakes("mistake('uphill', edit=('w - lr', 'w + lr'))")
    assert one.values["step"](1.0, 2.0) == 2.0


def test_a_class_can_be_edited_and_its_docstring_is_no_part_of_it():
    (one,) = mistakes("mistake('deep', of='Model', edit=('depth = 1', 'depth = 3'))")
    assert one.values["Model"]().layers() == [3, 3]


@pytest.mark.parametrize(("old", "count"), [("w + lr", 0), ("lr", 2), ("downhill", 0)])
def test_an_edit_must_stand_in_the_reference_exactly_once(old, count):
    assert problem(f"mistake('x', edit=({old!r}, 'b'))") == (
        f"'x': {old!r} must stand in the reference's step exactly once, it stands there"
        f" {count} times"
    )


@pytest.mark.parametrize("name", ["answer", "given"])
def test_only_what_is_of_the_reference_is_edited(name):
    assert problem(f"mistake('x', edit=('a', 'b'), of={name!r})") == (
        "'x': an edit changes a function or class of the reference"
    )


def test_an_edit_changes_no_other_answer():
    text = "mistake('a', edit=('w - lr', 'w + lr'))\nmistake('b', edit=('lr *', '2 * lr *'))"
    oracle = load(step=text)
    first, second = (one.values["step"](1.0, 2.0) for one in oracle.banks["step"].mistakes)
    assert (first, second, oracle.namespace["step"](1.0, 2.0)) == (2.0, -1.0, 0.0)


def test_equal_titles_of_different_names_have_labels_that_differ():
    one, other, last = mistakes(
        "mistake('the input', answer=1)\n"
        "@mistake('the input')\ndef _(w): ...\n"
        "mistake('x', answer=2)"
    )
    assert (one.label, other.label) == ("the input (answer)", "the input (step)")
    assert (one.title, last.label) == ("the input", "x")


def test_equal_titles_of_one_name_are_refused():
    assert problem("mistake('x', answer=1)\nalternative('x', answer=2)") == (
        "two answers have the title 'x'; say how they differ"
    )


def test_a_bank_takes_names_of_the_notebook_from_assignment():
    (one,) = mistakes("from assignment import given\n@mistake('x')\ndef _(w):\n    return given(w)")
    assert one.values["step"](3) == 3


def test_a_bank_takes_what_it_shares_from_a_module_beside_it():
    banks = {
        "_shared": "def twice(x):\n    return 2 * x",
        "step": "from bank._shared import twice\n@mistake('x')\ndef _(w):\n    return twice(w)",
        "other": "from bank._shared import twice\n@mistake('y')\ndef _(w):\n    return twice(w)",
    }
    found = load(**banks).banks
    assert set(found) == {"step", "other"}
    assert [one.title for one in found["other"].mistakes] == ["y"]
    assert found["step"].mistakes[0].values["step"](3) == 6


def test_what_banks_share_keeps_no_answer():
    banks = {"_more": "mistake('x', answer=1)", "step": "from bank._more import mistake"}
    with pytest.raises(SourceError) as caught:
        load(**banks)
    assert str(caught.value) == (
        "bank/_more.py: 'x' stands in what banks share; move it to a question's"
    )


def test_no_bank_takes_the_answers_of_another_that_it_imports():
    banks = {
        "a_step": "from bank.other import f",
        "other": "def f(w):\n    return w\nmistake('x', answer=1)",
    }
    with pytest.raises(SourceError, match=r"^bank/other\.py: another bank imports it; move what"):
        load(**banks)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("from assignment import nothing", "ImportError: cannot import name 'nothing'"),
        ("mistake('')", "the title of a mistake must be a text that is not empty, got ''"),
        ("mistake('x', edit=('w - lr', 'w - '))", "SyntaxError: "),
    ],
)
def test_an_error_says_the_bank(text, sentence):
    assert problem(text).startswith(sentence)


def test_a_question_without_a_bank_keeps_nothing():
    assert load(step="").banks["step"].mistakes == ()
    assert load().banks == {}


@pytest.mark.parametrize(
    ("text", "name", "must", "got"),
    [
        ("mistake('m', step=3.0)", "step", "a function", "a number"),
        ("alternative('m', step='x')", "step", "a function", "a text"),
        ("mistake('m', Model=[1])", "Model", "a class", "a list"),
        ("mistake('m', answer=len)", "answer", "a number", "a function"),
        ("@mistake('m', of='answer')\ndef _(x): ...", "answer", "a number", "a function"),
    ],
)
def test_what_is_of_another_kind_than_the_answer_is_refused(text, name, must, got):
    said = f"'m': what stands for {name!r} must be {must}, as the answer is, got {got}"
    assert problem(text) == said


@pytest.mark.parametrize("text", ["answer='a text'", "answer=None", "answer=[1]", "Model=len"])
def test_a_value_of_another_type_and_a_function_for_a_class_are_mistakes(text):
    (kept,) = mistakes(f"mistake('m', {text})")
    assert list(kept.values) == [text.partition("=")[0]]
