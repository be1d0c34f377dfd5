"""Sessions on a real GPU: what the fake one stands for elsewhere, and what it costs.

`tests/gpu/run.py` runs these, and puts what they measure into its report.
"""

import os
import statistics
import time

import pytest
import torch

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Verdict
from autograder.authoring.subject import Subject
from autograder.errors import AutograderError, StudentError, StudentKilled, StudentTimeout
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.soundness import require_sound
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.gpu import gpus_here, require_free
from autograder.sandbox.client.overuse import CONTEXT_MB
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.isolation.canary import attempt
from autograder.sandbox.kernel import children_of, is_called
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WALLED, Isolation

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.timeout(90),
]

LIMITS = Limits(
    cell_seconds=30.0, call_seconds=5.0, gpu_memory_mb=1500, gpu_sessions=1, message_mb=64
)
WAKE = "import torch\nones = torch.ones(4, device='cuda')"
CODE = """
import time, torch
def wake():
    began = time.monotonic()
    total = float(torch.ones(4, device="cuda").sum())
    return [total, time.monotonic() - began]
def total():
    return float(torch.ones(8, device="cuda").sum())
def take(mb):
    return torch.ones(mb << 18, device="cuda").numel()
def grab(mb):
    torch.cuda.set_per_process_memory_fraction(1.0)
    held = torch.ones(mb << 18, device="cuda")
    torch.cuda.synchronize()
    time.sleep(20)
    return held.numel()
def illegal():
    return torch.zeros(4, device="cuda")[torch.tensor([10**6], device="cuda")].cpu()
def hang():
    torch.cuda._sleep(10**13)
    torch.cuda.synchronize()
def fill(mb):
    held = torch.full((mb << 18,), 1234567891, dtype=torch.int32, device="cuda")
    torch.cuda.synchronize()
    return held.numel()
def left(mb):
    found = torch.empty(mb << 18, dtype=torch.int32, device="cuda")
    return [int((found == 1234567891).sum()), int((found != 0).sum())]
"""


@pytest.fixture(scope="session")
def card():
    """The first GPU."""
    return gpus_here()[0]


@pytest.fixture(scope="session")
def level():
    """The strongest isolation level that this machine has; none is said, and does."""
    for one in WALLED:
        try:
            with ForkServer(LIMITS, levels=[one]) as fork_server:
                if not attempt(fork_server)[1]:
                    return one
        except (AutograderError, OSError):
            continue
    return Isolation.UNWALLED


@pytest.fixture(scope="session")
def server(card, level):
    """A fork server whose sessions see the GPU."""
    with ForkServer(LIMITS, ("numpy", "torch"), "cuda", [level], card) as fork_server:
        yield fork_server


@pytest.fixture
def run(server):
    """Return a session that ran cells, numbered from 1."""
    sessions = []

    def run(*cells, server=server):
        numbered = [CodeCell(*cell) for cell in enumerate(cells, 1)]
        sessions.append(NotebookSession(server, numbered, time.monotonic() + 80.0))
        return sessions[-1]

    yield run
    for session in sessions:
        session.close()


def call(session, name, *args, shared=False):
    with session.check(shared=shared) as check:
        return getattr(Subject(check), name)(*args)


def used_mb(card):
    """Return what of a GPU is in use; None where nobody says."""
    return next(one.used_mb for one in gpus_here() if one.id == card.id) if card.smi else None


def test_the_walls_hold_with_the_driver_inside_them(server, level, record_property):
    record_property("isolation", level.value)
    tried, got_out = attempt(server)
    record_property("escapes", f"{tried} tried, {len(got_out)} got out: {sorted(got_out)}")
    assert got_out == {} or not level.is_walled


def test_the_fork_server_never_wakes_the_gpu(server, run):
    assert call(run(CODE), "total") == 8.0
    for process in (*children_of(server._process.pid), server._process.pid):
        if is_called(process, server.gpu.smi or "nvidia-smi"):
            continue
        files = [os.readlink(f"/proc/{process}/fd/{n}") for n in os.listdir(f"/proc/{process}/fd")]
        assert not [file for file in files if file.startswith("/dev/nvidia")]


def test_a_notebook_that_leaves_cuda_asleep_is_forked_and_each_fork_computes(run, record_property):
    session = run("import torch\nthere = torch.cuda.is_available()", CODE)
    seconds = []
    for _ in range(3):
        total, took = call(session, "wake")
        assert total == 4.0
        seconds.append(took)
    record_property("context_seconds", round(statistics.median(seconds), 3))
    assert not session.on_device, "asking whether there is a GPU does not wake it"


def test_a_notebook_that_wakes_cuda_is_not_forked_and_keeps_its_context(run, record_property):
    session = run(WAKE, CODE)
    record_property("notebook_seconds", round(session.run_seconds, 3))
    began = time.monotonic()
    for _ in range(20):
        assert call(session, "total", shared=True) == 8.0
    record_property("call_ms", round((time.monotonic() - began) * 50, 2))
    assert session.on_device


def test_a_context_s_memory_is_within_what_is_allowed_for_it(run, card, record_property):
    before = used_mb(card)
    session = run(WAKE)
    if before is not None:
        context = used_mb(card) - before
        record_property("context_mb", context)
        assert context <= CONTEXT_MB
    session.close()
    began = time.monotonic()
    require_free(card, LIMITS)
    record_property("free_again_seconds", round(time.monotonic() - began, 3))


def test_a_session_has_no_more_memory_than_it_may_and_goes_on(run):
    session = run(WAKE, CODE)
    assert call(session, "take", 1000, shared=True) == 1000 << 18
    with pytest.raises(StudentError, match="OutOfMemoryError"):
        call(session, "take", 4000, shared=True)
    assert call(session, "total", shared=True) == 8.0


def test_whoever_undoes_that_bound_is_ended(run, card, record_property):
    if not card.smi:
        pytest.skip("without nvidia-smi nobody says what a process has")
    began = time.monotonic()
    try:
        call(run(CODE), "grab", 4 * LIMITS.gpu_memory_mb)
        ended = "no"
    except StudentKilled as error:
        ended = str(error)
    except StudentTimeout:
        ended = "by the limit on time: the driver does not name our processes here"
    record_property("overuse_ended", f"{ended}, after {time.monotonic() - began:.1f} s")
    assert ended != "no"


def test_an_illegal_access_ends_its_session_alone(run, server, record_property):
    session = run(WAKE, CODE)
    with pytest.raises(StudentKilled, match="GPU stopped with") as error:
        call(session, "illegal", shared=True)
    record_property("illegal", str(error.value)[:200])
    session.close()
    assert call(run(CODE), "total") == 8.0
    require_sound(server, LIMITS, tried=True)


def test_a_kernel_that_does_not_end_is_ended(run, server, record_property):
    session = run(CODE)
    began = time.monotonic()
    with pytest.raises(StudentTimeout):
        call(session, "hang")
    session.close()
    record_property("hang_ended_seconds", round(time.monotonic() - began, 2))
    began = time.monotonic()
    require_sound(server, LIMITS, tried=True)
    record_property("sound_again_seconds", round(time.monotonic() - began, 2))
    assert call(run(CODE), "total") == 8.0


def test_no_session_finds_what_another_left_in_memory(run, record_property):
    found = []
    for _ in range(3):
        first = run(CODE)
        assert call(first, "fill", 900) == 900 << 18
        first.close()
        second = run(CODE)
        found.append(call(second, "left", 900))
        second.close()
    record_property("left_of_900_mb", f"{found}: values of the former session, values not 0")
    assert [same for same, _ in found] == [0, 0, 0]


def test_two_sessions_use_one_gpu_side_by_side(run, server, card, level, record_property):
    with ForkServer(LIMITS, ("numpy", "torch"), "cuda", [level], card) as beside:
        one, other = run(WAKE, CODE), run(WAKE, CODE, server=beside)
        for _ in range(3):
            assert call(one, "total", shared=True) == call(other, "total", shared=True) == 8.0
        record_property("two_sessions_mb", str(used_mb(card)))
        one.close()
        other.close()


# A submission of the tiny assignment, whose first question needs a GPU and is asked on it.
ON_GPU = """
def double(x):
    import torch
    return (FACTOR * torch.as_tensor(x, device="cuda")).cpu().numpy()
"""


def test_a_submission_is_graded_on_the_gpu(bundle_path, submit, card, level, record_property):
    bundle = read_bundle(bundle_path)
    parts = bundle, load_bundle_oracle(bundle), b"the secret of the course", LIMITS, "cuda"
    with Grader(*parts, min_isolation=level, gpu=card) as grader:
        for before in ((), (WAKE,)):
            began = time.monotonic()
            result = grader.grade("ada", submit(answers={"double": ON_GPU}, before=before))
            name = "woken" if before else "asleep"
            record_property(f"submission_{name}_seconds", round(time.monotonic() - began, 2))
            (check,) = result.questions[0].checks
            assert [case.verdict for case in check.cases] == [Verdict.PASSED] * 2
