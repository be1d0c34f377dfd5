"""matches_reference: a check in one statement, from what is promised of the arguments."""

import inspect

import numpy as np
import pytest

from autograder import (
    arrays,
    choices,
    derived,
    indices,
    interval,
    like,
    matches_reference,
    tensors,
    whole,
)
from autograder.artefacts.results import Verdict
from autograder.authoring.checks import case_rng
from autograder.errors import SourceError
from autograder.grading.cases import ReferenceSession, run_case
from autograder.sandbox.protocol.messages import InProcessSession

STEP = "def step(w, grad, lr, momentum=0.9):\n    return w - lr * grad * (1 - momentum), grad.sum()"
PARTS = {
    "w": arrays(),
    "grad": like("w"),
    "lr": interval(0.01, 1),
    "momentum": interval(0, 1, optional=True),
}


def names(source):
    found = {"np": np}
    exec(source, found)
    return found


def step(**options):
    return matches_reference("step", points=2, returns=("weights", "sum"), **PARTS, **options)


def outcomes(check, student, reference=STEP):
    """Return the result of each case, by its name."""
    return {
        case.name: run_case(
            check,
            case,
            InProcessSession(names(student)),
            ReferenceSession(names(reference)),
            lambda case=case: case_rng(b"", "hw", check.name, case.name),
        )
        for case in check.cases
    }


def verdicts(check, student, reference=STEP):
    return {result.verdict for result in outcomes(check, student, reference).values()}


def test_the_reference_passes_and_each_part_is_compared_by_its_name():
    assert verdicts(step(), STEP) == {Verdict.PASSED}
    assert step().name == "step_matches_reference"
    wrong = outcomes(step(), STEP.replace("grad.sum()", "grad.mean()"))["typical inputs"]
    assert wrong.verdict is Verdict.FAILED
    assert wrong.message.startswith("sum: ")
    short = outcomes(step(), STEP.replace(", grad.sum()", ""))["typical inputs"]
    assert short.message.startswith("(weights, sum): ")


@pytest.mark.parametrize(
    ("fault", "found_by"),
    [
        (("momentum=0.9):", "momentum=0.9):\n    momentum = momentum or 0.9"), "momentum = 0"),
        (("return w", "grad = np.frombuffer(grad).reshape(grad.shape)\n    return w"), "strided"),
        (("return w", "grad = grad.ravel('K').reshape(grad.shape)\n    return w"), "columns"),
        (("return w", "w -= lr * grad\n    return w"), "typical inputs"),
        (("return w", "if not grad.any(): return w, 1.0\n    return w"), "grad zeros"),
        (("return w", "if w.ndim == 0: return w, 1.0\n    return w"), "w ()"),
        (("momentum=0.9", "momentum=0.8"), "momentum left out"),
    ],
)
def test_edges_find_what_is_wrong_only_there(fault, found_by):
    failed = [
        name
        for name, result in outcomes(step(), STEP.replace(*fault)).items()
        if result.verdict is not Verdict.PASSED
    ]
    assert any(found_by in name for name in failed)


def test_a_function_that_changes_its_arguments_passes_only_where_it_may():
    inplace = STEP.replace("return w -", "w[...] = w - lr\n    w = w + lr\n    return w -")
    assert Verdict.PASSED not in verdicts(step(), inplace)
    assert verdicts(step(pure=False), inplace) == {Verdict.PASSED}


def test_a_dtype_is_compared_where_that_is_asked_in_each_part():
    single = "def step(*args, **named):\n    return right(*args, **named)[0].astype('f4'), 0.0"
    reference = STEP.replace("grad.sum()", "0.0")
    single = reference.replace("step", "right") + "\n" + single
    for returns in ((), ("weights", "sum")):
        options = {"points": 1, "returns": returns, "rtol": 1e-5, **PARTS}
        for dtype, verdict in ((False, Verdict.PASSED), (True, Verdict.FAILED)):
            check = matches_reference("step", dtype=dtype, **options)
            result = outcomes(check, single, reference)["typical inputs"]
            assert result.verdict is verdict
            assert (result.message or "").endswith("dtype float32, expected float64") == dtype


def test_arrays_that_come_first_go_by_place_and_all_others_by_name():
    called = "def f(scores, reg, labels):\n    return scores.sum() + reg + labels.sum()"
    renamed = called.replace("scores", "x")
    check = matches_reference(
        "f", points=1, scores=arrays("n"), reg=interval(0, 1), labels=arrays("n")
    )
    assert verdicts(check, renamed, called) == {Verdict.PASSED}


def test_what_stands_behind_an_array_that_is_left_out_goes_by_name():
    called = "def f(x, bias=None, mask=None):\n"
    called += "    return (x if bias is None else x + bias) * (1 if mask is None else mask)"
    check = matches_reference(
        "f", points=1, x=arrays("n"), bias=arrays("n", optional=True), mask=arrays("n")
    )
    assert "bias left out" in " ".join(case.name for case in check.cases)
    assert verdicts(check, called, called) == {Verdict.PASSED}


def test_an_argument_may_have_the_name_of_an_option_or_of_a_check_s_own():
    called = "def f(points, name, student, rng):\n    return points.sum() * name + student + rng"
    check = matches_reference(
        "f",
        points=1,
        arguments={
            "points": arrays("n"),
            "name": whole(1, 3),
            "student": interval(0, 1),
            "rng": derived(lambda n: n, "a number"),
        },
    )
    assert verdicts(check, called, called) == {Verdict.PASSED}


def test_a_reference_that_returns_other_parts_is_the_author_s_fault():
    result = outcomes(step(), STEP, STEP.replace(", grad.sum()", ""))["typical inputs"]
    assert result.verdict is Verdict.BROKEN
    assert "the reference must return (weights, sum), as returns= says" in result.message


def test_a_check_reads_as_one_that_is_written():
    check = step(said="step follows\n  the gradient.")
    assert check.summary == "step follows the gradient."
    assert "student.step" in inspect.getsource(check.function)
    assert check.function.__globals__ is globals()
    assert [case.hidden for case in check.cases[:3]] == [False, False, True]
    assert [case.hidden for case in step(visible=0).cases][:1] == [True]


def test_what_the_audit_adds_stands_behind_the_few_and_has_names_of_its_own():
    check = step()
    pool = check.pool()
    assert not {c.name for c in pool} & {c.name for c in check.cases}
    more = check.with_draws([pool[0].kinds, pool[3].kinds])
    assert [c.name for c in more.cases[len(check.cases) :]] == [pool[0].name, pool[3].name]
    assert all(c.hidden for c in more.cases[len(check.cases) :])
    assert len(check.cases) == len(step().cases)


def test_draws_of_another_domain_are_refused():
    with pytest.raises(SourceError) as error:
        step().with_draws([{"w layout": "upside down"}])
    assert str(error.value) == (
        "check step_matches_reference: its domain has no draw with w layout: upside down; compile"
        " it again"
    )
    assert step().with_draws([]).cases[0].name == "typical inputs"


def test_two_submissions_get_other_numbers_and_one_the_same():
    case = step().cases[0]

    def drawn(submission):
        rng = case_rng(b"secret", "hw", "step", case.name, submission)
        return case.arguments(rng)["w"].tolist()

    assert drawn("sha256:a") == drawn("sha256:a")
    assert drawn("sha256:a") != drawn("sha256:b")


REFUSED = {
    "no argument": (
        {},
        "check step_matches_reference: a domain must have at least one argument, such as"
        " w=arrays()",
    ),
    "an option's name": (
        {"name": arrays()},
        "matches_reference('step'): name is an option; where an argument has that name, write all"
        " of them as arguments={'name': …}",
    ),
    "both ways": (
        {"arguments": {"w": arrays()}, "v": arrays()},
        "matches_reference('step'): arguments must be a dict of all arguments, with none beside it,"
        " got a dict and beside it v",
    ),
    "a name with a blank": (
        {"arguments": {"w v": arrays()}},
        "matches_reference: the name of an argument must be a Python name, got 'w v'",
    ),
    "a keyword": (
        {"w": arrays(), "function": "class"},
        "matches_reference: function must be a Python name, got 'class'",
    ),
    "a value": (
        {"lr": 0.1},
        "matches_reference('step'): lr must be a part of a domain, such as interval(0, 1) or"
        " arrays(), got 0.1; for one value write choices(0.1)",
    ),
    "parts without names": (
        {"w": arrays(), "returns": 2},
        "step_matches_reference: returns must be a name or a list of names, got 2",
    ),
    "like what stands behind": (
        {"grad": like("w"), "w": arrays()},
        "matches_reference('step'): grad=like('w') must name arrays or tensors that stand before"
        " it; there is none",
    ),
    "two choices of one name": (
        {"w": choices("x", "y"), "visible": -1},
        "check step_matches_reference: visible must be 0, 1 or 2 draws, got -1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_check_can_be_is_refused_in_one_sentence(name):
    options, sentence = REFUSED[name]
    with pytest.raises(SourceError) as error:
        matches_reference("step", points=1, **options)
    assert str(error.value) == sentence


def test_tensors_that_require_a_gradient_have_one_in_each_layout():
    called = "def f(x, labels):\n    loss = -x.log_softmax(1)[range(len(labels)), labels].mean()\n"
    called += "    loss.backward()\n    return loss, x.grad"
    check = matches_reference(
        "f",
        points=1,
        returns=("loss", "gradient"),
        x=tensors("n c", grad=True, dtypes=("float64",)),
        labels=indices("n", below="c", tensor=True),
    )
    assert verdicts(check, called, called) == {Verdict.PASSED}
    wrong = outcomes(check, called.replace("x.grad", "x.grad * len(labels)"), called)
    assert wrong["typical inputs"].message.startswith("gradient: ")
