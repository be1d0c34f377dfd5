"""What is known of a submission before a run: that it is done, or what the run is to complete."""

from collections.abc import Callable
from dataclasses import dataclass

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.results import Completed, Result, Status, is_final, waits_for_hardware
from autograder.errors import HarnessError
from autograder.grading.completing import Completion
from autograder.records.store import Store

__all__ = ["Find", "Known", "completed_here", "known_of", "stands"]

Find = Callable[[Store, str, str], Result | None]
KeyOf = Callable[[str, str], str]  # of a bundle and a device


@dataclass(frozen=True)
class Known:
    """What is known of a submission.

    Attributes:
        is_done: whether a run has nothing to do for it.
        earlier: the result that the run completes; None if it grades the whole.
        key: under which the run's result will lie.
        is_settled: whether its result was made under other settings, and stands.
    """

    is_done: bool
    earlier: Result | None
    key: str
    is_settled: bool = False


def completed_here(result: Result | None, submission: str, bundle: Bundle, device: str) -> bool:
    """Return whether a run on a device completes a result, as that waits for a GPU.

    What a bundle with other questions graded, or with other checks or points, is completed by none.
    """
    return device == "cuda" and Completion.of(result, submission, bundle) is not None


def stands(result: Result) -> bool:
    """Return whether something was decided by a result: it is final, or completes one that was."""
    completes = isinstance(result.completes, Completed) and result.status is not Status.UNGRADED
    return completes or is_final(result)


def known_of(
    store: Store, student: str, submission: str, bundle: Bundle, device: str, again: bool,
    key_of: KeyOf, find: Find, settled: bool = False,
) -> Known:  # fmt: skip
    """Return what is known of the submission that is in its place.

    A result that another bundle gave stands, unless asked otherwise, and so does one that was made
    on another device: what waits for nothing is not run again because a machine has a GPU, or none.
    What waits for a GPU is completed there by the checks that graded the rest; where the bundle of
    now has others it stands as it is, until all of it is graded again. A run without a GPU grades
    nothing that a run with one has graded by the same bundle.

    Args:
        store: of the assignment's results.
        student: whose it is.
        submission: its digest.
        bundle: the assignment's, as it is now.
        device: of the run.
        again: grade what another bundle graded, too.
        key_of: returns the key of the submission's result by a bundle on a device.
        find: returns what is stored under a key.
        settled: let a result stand that was made under other settings: limits, secret, version.

    Raises:
        HarnessError: the file that is stored is damaged.
    """
    key = key_of(bundle.id, device)
    shown = _shown(store, student, submission)
    earlier = None
    if shown is not None and (shown.bundle == bundle.id or not again):
        if completed_here(shown, submission, bundle, device):
            earlier, key = shown, key_of(shown.bundle, device)
        elif shown.bundle != bundle.id and stands(shown):
            return Known(True, None, key)
        elif is_final(shown) and shown.device != device:
            there = find(store, student, key_of(bundle.id, shown.device))
            if there is not None and is_final(there):
                return Known(True, None, key)
        if settled and earlier is None and stands(shown) and find(store, student, key) is None:
            return Known(True, None, key, is_settled=True)
    stored = find(store, student, key)
    if stored is not None and is_final(stored) and not waits_for_hardware(stored):
        return Known(True, earlier, key)
    if device != "cuda" and _is_complete(store, student, on_gpu := key_of(bundle.id, "cuda")):
        find(store, student, on_gpu)  # which shows it
        return Known(True, None, key)
    return Known(stored is not None and is_final(stored), earlier, key)


def _is_complete(store: Store, student: str, key: str) -> bool:
    """Return whether a result lies under a key that stands and waits for nothing."""
    stored = store.find(student, key)
    return stored is not None and is_final(stored) and not waits_for_hardware(stored)


def _shown(store: Store, student: str, submission: str) -> Result | None:
    """Return the newest result, if it is of a submission."""
    try:
        shown = store.shown(student)
    except HarnessError:  # there is none, or it is damaged
        return None
    return shown if shown.submission == submission else None
