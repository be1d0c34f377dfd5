"""A deadline rehearsed: gradings are measured, and a class is let in as a curve has it."""

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from autograder.artefacts.bundle import read_bundle
from autograder.bench.deadline import HOUR, Curve, Waits, drawn, waiting_times, workers_for
from autograder.course import Course
from autograder.engines.places import device_for
from autograder.engines.work import Job, StandingEngine, Work
from autograder.errors import HarnessError, NotCompiled

__all__ = ["Measured", "Rehearsal", "measure", "rehearse"]

FEWEST = 100  # submissions that tell enough of a class
NOBODY = "rehearsal"  # whose the solution is, where nobody has submitted


@dataclass(frozen=True)
class Measured:
    """How long gradings took: ``seconds`` of each, ``workers`` at a time, ``wall`` in all.

    ``again`` says how long each was graded a second time, as it was starved; 0 where it was not.
    ``submissions`` is how many different ones there were; 0 where nobody has submitted, so that it
    is the solution that was graded.
    """

    seconds: tuple[float, ...]
    workers: int
    wall: float
    again: tuple[float, ...]
    submissions: int

    @property
    def warning(self) -> str | None:
        """Why these times may tell little of a class; None where they tell enough."""
        if not self.submissions:
            return (
                "the solution alone was measured, as nobody has submitted: what students hand in "
                "may take much longer, up to the limits"
            )
        if self.submissions < FEWEST:
            return (
                f"{self.submissions} submissions were measured, and slow ones are rare: with fewer "
                f"than {FEWEST} they may be missing, and the class waits longer than this says"
            )
        return None


@dataclass(frozen=True)
class Rehearsal:
    """What becomes of a class at a deadline.

    Attributes:
        assignment: its name.
        curve: when the class submits.
        busiest_minute: submissions that come in it.
        measured: how long gradings took.
        workers: how many submissions are graded at a time.
        week: how long all wait.
        last_hour: how long those of the last hour wait.
        limit_seconds: that 95 % of the last hour should wait at most.
        needed: workers for that; None where grading alone takes longer.
    """

    assignment: str
    curve: Curve
    busiest_minute: int
    measured: Measured
    workers: int
    week: Waits
    last_hour: Waits
    limit_seconds: float
    needed: int | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON has it, with the gradings' times in short."""
        found = asdict(self)
        seconds, again = found["measured"].pop("seconds"), found["measured"].pop("again")
        found["measured"] |= {"again": sum(map(bool, again)), "warning": self.measured.warning}
        found["measured"] |= {"gradings": len(seconds), "median": statistics.median(seconds)}
        found["measured"] |= {"mean": statistics.fmean(seconds), "longest": max(seconds)}
        return found

    def lines(self) -> Iterator[str]:
        """Give it in words, a sentence to a line."""
        curve, measured = self.curve, self.measured
        yield (
            f"{self.assignment}: {curve.submissions:,} submissions of {curve.students:,} students "
            f"in {curve.days} days, {self.last_hour.count:,} of them in the last hour, "
            f"{self.busiest_minute} in the busiest minute"
        )
        if measured.warning is not None:
            yield f"warning: {measured.warning}"
        again = sum(map(bool, measured.again))
        once_more = f"; {again} of them were starved, and graded again alone" if again else ""
        yield (
            f"a grading takes {_seconds(statistics.median(measured.seconds))} (median; on average "
            f"{_seconds(statistics.fmean(measured.seconds))}, at most "
            f"{_seconds(max(measured.seconds))}): measured on {len(measured.seconds)} gradings, "
            f"{measured.workers} at a time{once_more}"
        )
        more = "" if self.workers <= measured.workers else ", each as quick as those measured"
        yield f"with {_workers(self.workers)}{more}, until it is graded a submission waits"
        for name, waits in (("in all", self.week), ("in the last hour", self.last_hour)):
            yield (
                f"  {name}: {_seconds(waits.half)} (p50), {_seconds(waits.most)} (p95), "
                f"{_seconds(waits.longest)} (the longest)"
            )
        limit = _seconds(self.limit_seconds)
        if self.needed is None:
            yield f"no number of workers brings p95 of the last hour below {limit}"
        else:
            yield f"p95 of the last hour is below {limit} with {_workers(self.needed)}"


def measure(
    course: Course, name: str, engine: StandingEngine, device: str, sample: int, seed: int
) -> Measured:
    """Grade some of what was submitted, and write nothing.

    Args:
        course: whose submissions they are.
        name: the assignment.
        engine: that grades.
        device: ``cpu``, ``cuda`` or ``auto``.
        sample: how many different submissions, at the most.
        seed: decides which.

    Raises:
        NotCompiled: the assignment has no bundle.
        HarnessError: nothing could be graded.
    """
    if not course.bundle(name).is_file():
        raise NotCompiled(name)
    found = list(course.submitted(name).items())
    chosen = random.Random(seed).sample(found, min(sample, len(found)))
    submissions = len(chosen)
    if not chosen:
        chosen = [(NOBODY, course.build(name) / f"{name}_solution.ipynb")] * sample
    device = device_for(device, read_bundle(course.bundle(name)).manifest)
    work = Work.of(course, name, device, course.min_isolation)
    times = list[tuple[float, float]]()
    with engine.held(work) as workers:
        # Several times, if there are few: all workers have something to do for a while.
        rounds = -(-max(2 * workers, len(chosen)) // len(chosen))
        jobs = [Job(student, path) for _ in range(rounds) for student, path in chosen]
        began, first = time.monotonic(), None
        for one in engine(work, jobs, workers):
            first = first or time.monotonic()
            if one.seconds and one.result.fault is None:
                again = one.seconds if one.former_seconds else 0.0
                times.append((one.former_seconds or one.seconds, again))
    if not times:
        raise HarnessError(f"none of {len(jobs)} submissions of {name} could be graded")
    seconds, again_ = zip(*times, strict=True)
    return Measured(seconds, workers, time.monotonic() - (first or began), again_, submissions)


def rehearse(
    name: str, curve: Curve, measured: Measured, workers: int, limit_seconds: float, seed: int
) -> Rehearsal:
    """Let a class submit, and return how long its submissions wait.

    Args:
        name: the assignment's.
        curve: when the class submits.
        measured: how long gradings take.
        workers: how many are graded at a time.
        limit_seconds: that 95 % of the last hour should wait at most.
        seed: decides who submits when, and how long each grading takes.
    """
    rng = np.random.default_rng(seed)
    times = curve.times(rng)
    gradings = list(zip(measured.seconds, measured.again, strict=True))
    services, again = drawn(gradings, len(times), rng)
    waits = waiting_times(times, services, workers, again)
    minutes = np.unique(np.floor(times / 60), return_counts=True)[1]
    return Rehearsal(
        name,
        curve,
        int(minutes.max()),
        measured,
        workers,
        Waits.of(waits),
        Waits.of(waits[times >= -HOUR]),
        limit_seconds,
        workers_for(times, services, limit_seconds, -HOUR, again),
    )


def _workers(count: int) -> str:
    return f"{count} worker{'s' if count != 1 else ''}"


def _seconds(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
