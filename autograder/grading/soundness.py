"""Soundness of a GPU: whether it still answers and computes, behind what students' code did there.

A verdict counts only if the device was there for it. So it is looked at behind every submission,
before the next one, and tried by a notebook of ours where something there may have been its fault.
"""

import sys
import time
from contextlib import suppress

from autograder.artefacts.results import Verdict
from autograder.errors import DeviceLost, StudentError
from autograder.grading.case_runs import CaseRuns
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.gpu import require_free
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import TRIAL_ANSWER

__all__ = ["may_be_the_device", "require_sound"]

SECONDS = 60.0  # for a session of ours to wake the device and compute
_WORD = "cuda"  # in what PyTorch says of a device


def require_sound(fork_server: ForkServer, limits: Limits, tried: bool) -> None:
    """Look at the GPU of a fork server whose sessions have ended.

    Args:
        fork server: whose sessions use it.
        limits: of a submission.
        tried: whether to let a session of ours compute on it.

    Raises:
        DeviceLost: it does not answer, has memory in use that nobody uses, or does not compute.
        HarnessError: the fork server is gone.
    """
    if (gpu := fork_server.gpu) is None:
        return
    _empty_our_cache()
    require_free(gpu, limits)
    if not tried:
        return
    cells, deadline = [CodeCell(1, gpu.trial)], time.monotonic() + SECONDS
    with NotebookSession(fork_server, cells, deadline, cell_seconds=SECONDS) as notebook:
        try:
            with notebook.check(SECONDS) as session:
                answer = session.get("answer")
        except StudentError as error:
            ran = notebook.runs.get(1)
            said = (ran and (ran.error or ran.ended)) or str(error)
            raise DeviceLost(gpu.called, f"a session of ours says: {said}") from None
    if answer != TRIAL_ANSWER:
        raise DeviceLost(gpu.called, f"it computed {answer!r}, not {TRIAL_ANSWER!r}")


def _empty_our_cache() -> None:
    """Give back what PyTorch keeps of a GPU for checks to come, if it has woken one in the grader.

    It would count as memory that a session has left in use.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        with suppress(RuntimeError):  # of a device that is lost: what follows says so
            torch.cuda.empty_cache()


def may_be_the_device(runs: CaseRuns, notebook: NotebookSession) -> bool:
    """Return whether something came of a submission that a broken GPU could have done."""
    for run in notebook.runs.values():
        if run.ended is not None or _WORD in (run.error or "").lower():
            return True
    cases = (case for found in runs.outcomes.values() for case in found.values())
    return any(
        case.verdict in (Verdict.TIMED_OUT, Verdict.KILLED, Verdict.BROKEN)
        or (case.verdict is Verdict.ERRORED and _WORD in (case.message or "").lower())
        for case in cases
    )
