"""What only a GPU can show of questions: placement, agreement, speed, memory, and homework 6."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.artefacts.results import Verdict
from autograder.authoring.assertions import assert_close
from autograder.authoring.checks import case, check
from autograder.authoring.devices import computing_on, run_device
from autograder.authoring.gpu import memory_on_gpu
from autograder.authoring.memory import MB, assert_memory, measured
from autograder.authoring.placement import assert_placed, on_device, placed
from autograder.authoring.subject import Subject
from autograder.authoring.timing import assert_fast
from autograder.errors import CheckFailure
from autograder.grading.cases import run_case
from autograder.sandbox.protocol.messages import InProcessSession

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def subject(**names):
    return Subject(InProcessSession(names))


@pytest.fixture(autouse=True)
def tf32():
    """Whether products are in TF32, as it was."""
    parts = torch.backends.cuda.matmul, torch.backends.cudnn
    former = [part.allow_tf32 for part in parts]
    yield
    for part, allowed in zip(parts, former, strict=True):
        part.allow_tf32 = allowed


# Placement


def normalised(x):
    return (x - x.mean(dim=0)) / x.std(dim=0)


def test_what_works_on_the_gpu_alone_is_placed_there_and_its_value_comes_back():
    x = torch.rand(40, 7)
    noted = subject(f=normalised).apply(placed, "f", x, device="cuda")
    assert_placed(noted, "cuda")
    assert noted["value"].device.type == "cpu"
    assert_close(noted["value"], normalised(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "away",
    [
        lambda x: x.cpu().exp().to(x.device),
        lambda x: x + torch.ones(7).to(x.device),
        lambda x: torch.from_numpy(np.asarray(x.cpu()) * 2).to(x.device),
    ],
)
def test_what_works_on_the_cpu_in_between_is_found(away):
    noted = subject(f=away).apply(placed, "f", torch.rand(40, 7), device="cuda")
    with pytest.raises(CheckFailure, match="worked on cpu, expected cuda"):
        assert_placed(noted, "cuda")


def test_a_network_s_parameters_are_where_it_was_moved():
    class Net(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.layer = torch.nn.Linear(7, width)

        def forward(self, x):
            return self.layer(x).relu().sum()

    noted = subject(Net=Net).apply(placed, "Net", torch.rand(4, 7), make=[5], device="cuda")
    assert_placed(noted, "cuda", what="Net")
    assert set(noted["state"]) == {"layer.weight", "layer.bias"}


# Agreement


def convolved(x, w):
    y = torch.nn.functional.conv2d(x, w, padding=1)
    return torch.nn.functional.batch_norm(y, None, None, training=True).exp()


def verdict_of(function, precision, student=None):
    """Return what comes of a check that computes on the GPU, in single precision."""

    @check("f", points=1, precision=precision)
    @case("one")
    def agrees(student, reference, rng):
        """Compares a GPU with the CPU."""
        x, w = (
            torch.from_numpy(rng.normal(size=shape).astype(np.float32))
            for shape in ((8, 64, 16, 16), (64, 64, 3, 3))
        )
        assert_close(on_device(student.f, run_device())(x, w), reference.f(x, w))

    with computing_on("cuda"):
        sessions = (InProcessSession({"f": f}) for f in (student or function, function))
        return run_case(agrees, agrees.cases[0], *sessions, np.random.default_rng)


def test_a_gpu_agrees_with_the_cpu_within_its_tolerance():
    result = verdict_of(convolved, "any")
    assert result.verdict is Verdict.PASSED, result.message
    assert 0 < result.margin < 1


def test_tf32_is_within_its_own_tolerance():
    result = verdict_of(convolved, "tf32")
    assert result.verdict is Verdict.PASSED, result.message
    assert torch.backends.cuda.matmul.allow_tf32


def test_what_is_wrong_by_a_thousandth_fails_on_a_gpu_as_well():
    assert verdict_of(convolved, "any", lambda x, w: 1.001 * convolved(x, w)).verdict is (
        Verdict.FAILED
    )


# Time


def test_a_value_leaves_when_the_gpu_has_done_all_that_the_call_asked_for():
    events = []

    def queues(x):
        for _ in range(50):
            x = x @ x / 100
        event = torch.cuda.Event()
        event.record()
        events.append(event)
        return 1.0

    assert on_device(subject(f=queues).f, "cuda")(torch.rand(2000, 2000)) == 1.0
    assert events[0].query()  # done


def nearest(x, palette):
    return torch.addmm((palette**2).sum(1), x, palette.T, alpha=-2).argmin(1)


def by_differences(x, palette):
    return ((x[:, None] - palette) ** 2).sum(2).argmin(1)


def helper(notebook):
    def run(seed, count):
        generator = torch.Generator("cuda").manual_seed(seed)
        palette = torch.rand(256, 3, generator=generator, device="cuda", dtype=torch.float64)
        sums = []
        for _ in range(16):
            x = torch.rand(count, 3, generator=generator, device="cuda", dtype=torch.float64)
            sums.append(notebook.f(x, palette).double().mean())
        return torch.stack(sums)

    return run


def timed(student):
    rng = np.random.default_rng(0)
    sides = (on_device(subject(f=f).apply(helper), "cuda") for f in (student, nearest))
    draw = lambda: [int(rng.integers(2**31)), 100_000]  # noqa: E731
    assert_fast(*sides, draw, within=3, what="means")


def test_what_is_as_fast_as_the_reference_passes():
    timed(nearest)


def test_an_array_of_all_differences_is_too_slow():
    with pytest.raises(CheckFailure, match="times as long as the reference"):
        timed(by_differences)


# Memory


@pytest.mark.parametrize(
    ("function", "peak"),
    [(lambda x: x.sum(), 0), (lambda x: x + 1, 0), (lambda x: x.exp().log().sum(), 2)],
)
def test_the_peak_is_what_is_taken_beside_arguments_and_value(function, peak):
    x = torch.rand(16 * MB)  # 64 MB
    _, spent = measured(on_device(subject(f=function).f, "cuda"), x)
    assert abs(spent.peak - peak * x.nbytes) <= 4 * MB
    assert spent.kept <= 4 * MB
    assert_memory(spent, peak=peak * x.nbytes, kept=0)


def test_what_is_kept_is_found():
    kept = []
    x = torch.rand(16 * MB)
    _, spent = measured(on_device(subject(f=lambda x: kept.append(x + 1) or 1.0).f, "cuda"), x)
    assert abs(spent.kept - x.nbytes) <= 4 * MB


def test_the_driver_tells_of_this_process_or_says_that_it_does_not():
    x = torch.zeros(64 * MB, device="cuda")
    seen = memory_on_gpu([os.getpid()])
    assert seen is None or seen >= x.nbytes


# Homework 6


def test_the_checks_of_homework_6_that_compute_on_a_gpu_tell_right_from_wrong_there():
    pytest.importorskip("matplotlib")
    pytest.importorskip("jupytext")
    from autograder.audit.on_gpu import computes_on_gpu
    from tests.assignments.homework import SECRETS, homework

    hw = homework("hw6_colorization")
    checks = [check for check in hw.checks.values() if computes_on_gpu(check)]
    assert len(checks) == 7
    once = SECRETS[:1]
    with computing_on("cuda"):
        for one in checks:
            assert hw.missed(one.name, {}, once) == set(), one.name
        bank = hw.compiled.oracle.banks["on_a_gpu"]
        mine = [one.name for one in checks if one.question == "on_a_gpu"]
        for alternative in bank.alternatives:
            for name in mine:
                assert hw.missed(name, alternative.values, once) == set(), (name, alternative.title)
        for mistake in bank.mistakes:
            assert any(hw.missed(name, mistake.values, once) for name in mine), mistake.title


# The audit


PROVES = """
    import numpy as np, torch
    from autograder.artefacts.compiled import Oracle
    from autograder.artefacts.proof import CheckProof, Proof
    from autograder.audit.on_gpu import let_sleep, prove_on_gpu
    from autograder.audit.prove import Proven
    from autograder.authoring.assertions import assert_close
    from autograder.authoring.bank import Bank, Variant
    from autograder.authoring.checks import case, check
    from autograder.authoring.placement import on_device

    def product(x):
        return x @ x.T

    @check("product", points=1, device="cuda")
    @case("one")
    def agrees(student, reference, rng):
        '''Compares.'''
        x = torch.from_numpy(rng.normal(size=(50, 300)).astype(np.float32))
        assert_close(on_device(student.product, "cuda")(x), reference.product(x))

    let_sleep()
    assert torch.cuda.is_available()  # as a notebook asks, in the process that forks
    wrong = Variant("half", {"product": lambda x: product(x.half()).float()}, "half")
    oracle = Oracle("planted", {"product": product}, {"agrees": agrees},
                    banks={"product": Bank((wrong,), ())})
    proven = Proven(Proof({"agrees": CheckProof("key")}), {"agrees": []}, [], [])
    found = prove_on_gpu(oracle, proven, 2, lambda text: None)
    print(found.findings, found.proof.checks["agrees"])
"""


def test_the_audit_proves_on_a_gpu_what_needs_one():
    """In a process of its own: the audit forks, and one that has woken a GPU must not."""
    script = ROOT / "build" / "prove_on_gpu_test.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(textwrap.dedent(PROVES), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        script.unlink()
    assert done.returncode == 0, done.stderr
    assert "{'agrees': []}" in done.stdout
    assert "devices=('cuda',)" in done.stdout
    assert "rejects=('half',)" in done.stdout
