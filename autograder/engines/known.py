"""What is known of a submission before a run: that it is done, or what the run is to complete."""

from collections.abc import Callable
from dataclasses import dataclass

from autograder.artefacts.results import Result, is_final
from autograder.errors import HarnessError
from autograder.grading.completing import can_be_completed
from autograder.records.store import Store

__all__ = ["Find", "Known", "completed_here", "known_of"]

Find = Callable[[Store, str, str], Result | None]
KeyOf = Callable[[str, str], str]  # of a bundle and a device


@dataclass(frozen=True)
class Known:
    """What is known of a submission.

    Attributes:
        is_done: whether a run has nothing to do for it.
        earlier: the result that the run completes; None if it grades the whole.
        key: under which the run's result will lie.
    """

    is_done: bool
    earlier: Result | None
    key: str


def completed_here(result: Result | None, submission: str, device: str) -> bool:
    """Return whether a run on a device completes a result, as that waits for a GPU."""
    return device == "cuda" and result is not None and can_be_completed(result, submission)


def known_of(
    store: Store, student: str, submission: str, bundle: str, device: str, again: bool,
    key_of: KeyOf, find: Find,
) -> Known:  # fmt: skip
    """Return what is known of the submission that is in its place.

    A result that another bundle gave stands, unless asked otherwise, and so does one that was made
    on another device: what waits for nothing is not run again because a machine has a GPU, or none.

    Args:
        store: of the assignment's results.
        student: whose it is.
        submission: its digest.
        bundle: that of now.
        device: of the run.
        again: grade what another bundle graded, too.
        key_of: returns the key of the submission's result by a bundle on a device.
        find: returns what is stored under a key.

    Raises:
        HarnessError: the file that is stored is damaged.
    """
    shown = _shown(store, student, submission)
    earlier = None
    if shown is not None and (shown.bundle == bundle or not again):
        if completed_here(shown, submission, device):
            earlier = shown
        elif is_final(shown) and shown.bundle != bundle:
            return Known(True, None, key_of(bundle, device))
        elif is_final(shown) and shown.device != device:
            there = find(store, student, key_of(bundle, shown.device))
            if there is not None and is_final(there):
                return Known(True, None, key_of(bundle, device))
    key = key_of(bundle if earlier is None else earlier.bundle, device)
    stored = find(store, student, key)
    return Known(stored is not None and is_final(stored), earlier, key)


def _shown(store: Store, student: str, submission: str) -> Result | None:
    """Return the newest result, if it is of a submission."""
    try:
        shown = store.shown(student)
    except HarnessError:  # there is none, or it is damaged
        return None
    return shown if shown.submission == submission else None
