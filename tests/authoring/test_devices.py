"""Devices: numbers that were computed on a GPU are held to its tolerances, and no others are."""

import numpy as np
import pytest
import torch

from autograder.artefacts.results import Verdict
from autograder.authoring.assertions import assert_close
from autograder.authoring.checks import case, check
from autograder.authoring.devices import computing_on, device_compared, on_behalf_of, run_device
from autograder.authoring.standard import Standard, observing
from autograder.authoring.tolerance import BY_DEVICE, DEFAULTS
from autograder.grading.cases import run_case
from autograder.sandbox.protocol.messages import InProcessSession

NAMES = {"f": lambda: np.ones(3, np.float32), "g": lambda: np.ones(3)}


def tolerances(device, precision="any", run="cuda", asks=False, standard=None):
    """Return by which tolerances a check compares in single and in double precision."""

    @check("f", points=1, device=device, precision=precision)
    @case("one")
    def compares(student, reference, rng):
        """Compares."""
        if asks:
            run_device()
        assert_close(student.f(), reference.f())
        assert_close(student.g(), reference.g())

    sessions = InProcessSession(NAMES), InProcessSession(NAMES)
    with computing_on(run), observing() as seen:
        result = run_case(
            compares,
            compares.cases[0],
            *sessions,
            np.random.default_rng,
            standard=standard or Standard(),
        )
    assert result.verdict is Verdict.PASSED
    return [one.tolerance for one in seen]


@pytest.fixture(autouse=True)
def switches():
    """The switches that a run on a GPU turns, as they were."""
    former = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = former


@pytest.mark.parametrize(
    ("device", "asks", "run", "by"),
    [
        ("any", False, "cpu", "cpu"),
        ("any", False, "cuda", "cpu"),
        ("cpu", False, "cuda", "cpu"),
        ("any", True, "cpu", "cpu"),
        ("any", True, "cuda", "cuda"),
        ("cuda", False, "cuda", "cuda"),
        ("cuda", False, "cpu", "cpu"),
    ],
)
def test_a_check_that_computes_on_a_gpu_is_compared_by_its_tolerances(device, asks, run, by):
    found = tolerances(device, asks=asks, run=run)
    assert found == [BY_DEVICE[by]["float32"], BY_DEVICE[by]["float64"]]


def test_double_precision_is_as_strict_on_a_gpu_and_single_is_not():
    assert BY_DEVICE["cuda"]["float64"] == DEFAULTS["float64"]
    assert BY_DEVICE["cuda"]["float32"].rtol > DEFAULTS["float32"].rtol


@pytest.mark.parametrize(
    ("precision", "run", "like"), [("tf32", "cuda", "float16"), ("tf32", "cpu", "float32")]
)
def test_tf32_is_held_to_the_tolerance_of_half_precision_where_there_is_some(precision, run, like):
    single, double = tolerances("any", precision, run, asks=True)
    assert (single, double) == (DEFAULTS[like], DEFAULTS["float64"])


def test_the_factor_of_a_check_counts_on_each_device():
    wide = Standard(coarse_factor=2.0)
    assert tolerances("cuda", standard=wide)[0].rtol == 2 * BY_DEVICE["cuda"]["float32"].rtol


@pytest.mark.parametrize("precision", ["any", "tf32"])
def test_a_gpu_multiplies_in_tf32_only_where_the_check_says_so(precision):
    seen = []
    names = {"f": lambda: seen.append(torch.backends.cuda.matmul.allow_tf32)}

    @check("f", points=1, device="cuda", precision=precision)
    @case("one")
    def looks(student, reference, rng):
        """Looks."""
        student.f()

    for run in ("cpu", "cuda"):
        torch.backends.cuda.matmul.allow_tf32 = precision != "tf32"
        with computing_on(run):
            run_case(
                looks,
                looks.cases[0],
                InProcessSession(names),
                InProcessSession(names),
                np.random.default_rng,
            )
    assert seen == [precision != "tf32", precision == "tf32"]  # a run on the CPU turns nothing


def test_outside_of_a_case_nothing_is_loosened():
    with computing_on("cuda"):
        assert run_device() == "cuda"
        assert device_compared() == "cpu"
        with on_behalf_of("any", "any"):
            assert device_compared() == "cpu"
            run_device()
            assert device_compared() == "cuda"
        with on_behalf_of("any", "any"):  # one case asks for no other
            assert device_compared() == "cpu"
    assert run_device() == "cpu"
