"""Single precision: how far right answers are off that are computed in it, or handed back in it.

People who are right do that in three ways: they cast what comes in, and hand back what comes of it;
they cast that back; or they compute in double precision and cast at the end. The reference and each
alternative are measured in all three, where any answer is compared by what has room for that.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.gaps import SingleBand
from autograder.audit.checking.calibration import (
    LARGEST_AT_ZERO,
    LARGEST_SHARE,
    beyond,
    may_have_room,
    single_in,
)
from autograder.audit.checking.variants import SEEDS, run_perturbed
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Check
from autograder.authoring.standard import Compared
from autograder.grading.perturbed import Perturbation, PerturbedSession, single_precisions

__all__ = ["Single", "measure_single"]

SECONDS = 1.0  # of the processor, after which no further way to compute is measured


@dataclass
class Single:
    """What was measured.

    Attributes:
        share: how far right answers are off, as a share of the largest value.
        zero: the same as a number, where values cancel out.
        notes: which right answers are further off than rounding may be.
    """

    share: SingleBand = field(default_factory=SingleBand)
    zero: SingleBand = field(default_factory=SingleBand)
    notes: list[str] = field(default_factory=list)


def measure_single(
    check: Check,
    oracle: Oracle,
    is_long: bool,
    tell: Callable[[], None],
    plain: Sequence[Compared] = (),
) -> Single:
    """Measure the reference under each seed, then all other ways as far as there is time.

    Where its answers are not compared by what has room for single precision, but by the check's own
    tolerances or as whole numbers, no room is made, however far others are off: nothing else is
    measured then.

    Args:
        check: which compares.
        oracle: the reference, with the alternatives.
        is_long: whether the check takes long: it is run under one seed then.
        tell: is called now and then, as a sign of life.
        plain: what is compared where the reference computes as it is.
    """
    began, found = time.process_time(), Single()
    usual, *others = _ways(check, oracle)
    seeds = SEEDS[: 1 if is_long else None]
    reference = [one for seed in seeds for one in _compared(check, oracle, *usual, seed, tell)]
    alternatives: list[Compared] = []
    has_room = any(map(may_have_room, (*plain, *reference)))
    for variant, move in others if has_room else ():
        if time.process_time() - began > SECONDS:
            break
        seen = _compared(check, oracle, variant, move, SEEDS[0], tell)
        if (far := _beyond_rounding(seen)) is None:
            (alternatives if variant.title else reference).extend(seen)
        else:
            found.notes.append(
                f"{_name(variant)}, {move.name}, is off by {far:.2g} of the largest value, more "
                "than any rounding may be"
            )
    pairs = zip(single_in(reference), single_in(alternatives), strict=True)
    found.share, found.zero = (SingleBand(own, alternatives=far or 0.0) for own, far in pairs)
    return found


def _ways(check: Check, oracle: Oracle) -> Iterator[tuple[Variant, Perturbation]]:
    """Yield each right answer in each way to compute, the reference in the usual one first."""
    variants = (Variant("", {}), *oracle.bank(check).alternatives)
    yield from ((variant, move) for move, variant in product(single_precisions(), variants))


def _compared(
    check: Check,
    oracle: Oracle,
    variant: Variant,
    move: Perturbation,
    seed: bytes,
    tell: Callable[[], None],
) -> list[Compared]:
    """Return what is compared where a right answer computes so."""
    session = PerturbedSession({**oracle.namespace, **variant.values}, move)
    runs = run_perturbed(check, session, oracle, seed, to_the_end=True)
    tell()
    return [one for _, compared in runs for one in compared if _has_tolerance(one)]


def _has_tolerance(one: Compared) -> bool:
    return bool(one.tolerance.rtol or one.tolerance.atol)


def _beyond_rounding(compared: Sequence[Compared]) -> float | None:
    """Return how far off an answer is that is off by more than rounding; None if none is."""
    pairs = (beyond(one) for one in compared)
    far = [
        share
        for share, number in pairs
        if math.isfinite(number) and share > LARGEST_SHARE and number > LARGEST_AT_ZERO
    ]
    return max(far, default=None)


def _name(variant: Variant) -> str:
    return f"the alternative {variant.title!r}" if variant.title else "the reference"
