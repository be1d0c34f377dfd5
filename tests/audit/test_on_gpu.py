"""What a GPU adds to a proof. These tests have none: what is tried here computes on the CPU."""

from types import FunctionType

import numpy as np
import pytest
import torch

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import CheckProof, Proof
from autograder.audit import on_gpu
from autograder.audit.on_gpu import computes_on_gpu, prove_on_gpu, unproven_on_gpu
from autograder.audit.prove import Proven
from autograder.audit.reporting import _calibration_notes
from autograder.authoring.assertions import assert_close
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, check
from autograder.authoring.devices import run_device
from autograder.authoring.placement import on_device


def mean(x):
    return x.mean()


def silent(_):
    """Show no progress."""


def needs_one(student, reference, rng):
    """Compares means."""
    x = rng.normal(size=9).astype(np.float32)
    assert_close(student.mean(x), reference.mean(x), what="mean")


def asks(student, reference, rng):
    """Compares means where the run computes."""
    if run_device() not in ("cpu", "cuda"):
        raise AssertionError
    needs_one(student, reference, rng)


def asks_by_another(student, reference, rng):
    """Compares means where the run computes, by a function beside it."""
    asks(student, reference, rng)


def never_asks(student, reference, rng):
    """Compares means."""
    needs_one(student, reference, rng)


def carries(student, reference, rng):
    """Compares means on a device."""
    x = rng.normal(size=9).astype(np.float32)
    assert_close(on_device(student.mean, "cpu")(x), reference.mean(x), what="mean")


def made(body, device="any"):
    body = FunctionType(body.__code__, body.__globals__, body.__name__)
    body.__doc__ = "Compares."
    return check("mean", points=1, device=device)(case("one")(body))


SUM, ALMOST = ("the sum", np.sum), ("almost", lambda x: x.mean() * np.float32(1 + 3e-5))


def tried(*checks, mistakes=(SUM,), alternatives=(), known=None, **options):
    """Return what is proven of some checks on a GPU, after what was proven on the CPU."""
    bank = Bank(
        *(tuple(Variant(t, {"mean": f}, t) for t, f in p) for p in (mistakes, alternatives))
    )
    names = {"mean": mean, "np": np}
    oracle = Oracle("planted", names, {c.name: c for c in checks}, banks={"mean": bank})
    entries = {c.name: CheckProof("key", rejects=known or ()) for c in checks}
    proven = Proven(Proof(entries), {c.name: [] for c in checks}, [], [])
    return prove_on_gpu(oracle, proven, 1, silent, **options)


@pytest.mark.parametrize(
    ("body", "device", "there"),
    [
        (needs_one, "cuda", True),
        (needs_one, "any", False),
        (asks, "any", True),
        (asks, "cpu", False),
        (asks_by_another, "any", True),
        (carries, "any", True),
        (never_asks, "any", False),
    ],
)
def test_a_check_computes_on_a_gpu_that_needs_one_or_asks_for_the_device(body, device, there):
    assert computes_on_gpu(made(body, device)) is there


def test_a_proof_says_where_it_was_made_and_is_no_longer_than_before():
    checks = made(needs_one, "cuda"), made(asks), made(never_asks)
    proof = Proof({c.name: CheckProof("key") for c in checks})
    assert unproven_on_gpu(checks, proof) == ["needs_one", "asks"]
    found = tried(*checks)
    assert not any(found.findings.values())
    devices = {name: one.devices for name, one in found.proof.checks.items()}
    assert devices == {"needs_one": ("cuda",), "asks": ("cpu", "cuda"), "never_asks": ("cpu",)}
    assert unproven_on_gpu(checks, found.proof) == []
    assert list(found.now) == ["needs_one", "asks"]


def test_a_check_that_needs_a_gpu_is_tried_there_as_any_other():
    one = tried(made(needs_one, "cuda"), alternatives=[("by hand", lambda x: x.sum() / 9)])
    entry = one.proof.checks["needs_one"]
    assert (entry.rejects, entry.accepts, entry.by_default) == (("the sum",), 1, True)
    assert entry.gaps["coarse"]["right"] > 0


def test_the_rest_of_a_check_that_computes_where_the_run_does_stays_as_it_was():
    entry = tried(made(asks), known=["the sum"]).proof.checks["asks"]
    assert entry == CheckProof("key", rejects=["the sum"], devices=("cpu", "cuda"))


def test_a_mistake_that_the_tolerance_of_a_gpu_lets_through_is_a_finding():
    found = tried(made(asks), mistakes=[ALMOST], known=["almost"])
    texts = [text for some in found.findings.values() for text in some]
    assert any("on a GPU the mistake 'almost' passes" in text for text in texts)
    assert found.proof.checks["asks"].devices == ("cpu",)
    assert "asks" in found.sound.checks  # what the CPU has shown stands


def test_a_mistake_that_passes_on_each_device_is_a_finding():
    found = tried(made(needs_one, "cuda"), mistakes=[SUM, ALMOST])
    (text,) = found.findings["needs_one"]
    assert "the mistake 'almost' passes every case of every check, on the CPU and on a GPU" in text
    assert "needs_one" not in found.sound.checks


def test_what_was_tried_on_a_gpu_is_tried_again_where_that_is_asked_for(monkeypatch):
    monkeypatch.setattr(on_gpu, "unproven_on_gpu", lambda *_: [])
    assert list(tried(made(asks)).now) == []
    assert list(tried(made(asks), everything=True).now) == ["asks"]


def test_what_ends_the_process_on_a_gpu_is_a_finding(monkeypatch):
    monkeypatch.setattr(on_gpu, "_as_in_sessions", lambda: __import__("os")._exit(1))
    found = tried(made(needs_one, "cuda"))
    assert "ended the audit's process on the GPU" in found.findings["needs_one"][0]


def test_a_gpu_computes_the_same_twice_as_it_does_in_sessions(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    on_gpu._as_in_sessions()
    try:
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("body", "wrong", "devices", "told"),
    [
        (asks, 4.0, ("cpu",), True),
        (asks, 40.0, ("cpu",), False),
        (asks, 4.0, ("cpu", "cuda"), False),
        (never_asks, 4.0, ("cpu",), False),
    ],
)
def test_a_wrong_answer_that_a_gpu_may_let_through_is_told_while_none_was_asked(
    body, wrong, devices, told
):
    checked = made(body)
    gaps = {"coarse": {"right": 0.1, "wrong": wrong}}
    entry = CheckProof("key", gaps=gaps, nearest="the mistake 'almost'", devices=devices)
    notes = list(_calibration_notes(checked, Proof({checked.name: entry})))
    text = "the mistake 'almost' is only 4 tolerances away: it may pass there"
    assert any(text in note for note in notes) is told
