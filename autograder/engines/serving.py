"""A grader that stays up: what arrives is graded within seconds, by runs like any other.

Nothing is remembered but what the store holds, so that one that was killed goes on where it was.
"""

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from autograder.artefacts.results import Result
from autograder.collecting.collect import collect
from autograder.collecting.exchange import inbound_of
from autograder.course import Course
from autograder.engines.arrivals import Arrivals, looks_of_exchange, looks_of_submitted
from autograder.engines.class_report import bring_report_up_to_date
from autograder.engines.problems import Problem, fault_words, told
from autograder.engines.run import grade_assignment
from autograder.engines.work import Engine
from autograder.errors import UnsafeHere, UsageError, stops_all
from autograder.visible import visible

__all__ = ["Server", "only_one"]

Tell = Callable[[str], None]

LOCK = ".serving"  # in results
PAUSE_SECONDS = 1.0  # between two looks
LOOK_SHARE = 0.1  # of the time that may go into looking
FULL_SECONDS = 900.0  # between two rounds that look at everything, as what broke is tried again
BACK_OFF_SECONDS = 60.0  # after a round that failed as a whole


@contextmanager
def only_one(course: Course) -> Iterator[None]:
    """Be the only grader that stays up in a course while the block lasts; the kernel sees to it.

    Raises:
        UsageError: there is one.
    """
    folder = course.root / "results"
    folder.mkdir(exist_ok=True)
    with (folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = lock.read().strip()
            by = f" by process {who}" if who.isdigit() else ""
            raise UsageError(f"this course is served already{by}; one grader is enough") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


class _Teller:
    """The `autograder.engines.run.Progress` of a round: a line for each submission."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name, self._tell = name, tell

    def begin(self, total: int) -> None:
        """Say nothing: each submission has a line."""

    def advance(self, result: Result) -> None:
        """Say what somebody has got."""
        points = f"{result.earned:g} of {result.possible:g}"
        self._tell(f"{self._name}: {result.student}: {points}, {result.status}")

    def say(self, text: str) -> None:
        """Say nothing: records are written each time."""


@dataclass
class Server:
    """Grades what arrives in `submitted/`, and in an exchange.

    Attributes:
        course: returns the course as it is now.
        names: of assignments; none means all that are compiled.
        exchange: nbgrader's, a course in it, or ``inbound``; None if there is none.
        device: ``cpu``, ``cuda`` or ``auto``.
        workers: how many submissions are graded at a time.
        engine: that grades, warm between rounds.
        tell: is told what is done, line by line.
    """

    course: Callable[[], Course]
    names: Sequence[str]
    exchange: Path | None
    device: str
    workers: int
    engine: str | Engine
    tell: Tell
    submitted: Arrivals[tuple[str, str]] = field(default_factory=Arrivals)
    attempts: Arrivals[str] = field(default_factory=Arrivals)

    def __post_init__(self) -> None:
        self._told: set[Problem] = set()  # since the last round that looked at everything
        self._looking = 0.0  # seconds that the last look took

    def watch(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Grade what arrives, for ever: until somebody interrupts it.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely, or there is no secret.
        """
        full = time.monotonic()
        while goes_on():
            began = time.monotonic()
            whole = began - full >= FULL_SECONDS
            if self._round_or_say(whole):
                full = began if whole else full
            else:
                time.sleep(BACK_OFF_SECONDS)
            time.sleep(max(PAUSE_SECONDS, self._looking * (1 - LOOK_SHARE) / LOOK_SHARE))

    def once(self) -> list[Problem]:
        """Grade what is there, when it is whole, and return what somebody must look at.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely, or there is no secret.
            UsageError: `course.toml` is wrong.
        """
        problems = self._round()
        while self.submitted.growing() or self.attempts.growing():
            time.sleep(PAUSE_SECONDS / 4)
            problems += [one for one in self._round() if one not in problems]
        return problems

    def _round_or_say(self, everything: bool) -> bool:
        """Do a round, over everything or what is new; return whether it could be done."""
        try:
            if everything:
                self.submitted.again([*looks_of_submitted(self.course(), self._names())])
                self._told.clear()
            self._round()
        except UnsafeHere:
            raise
        except Exception as error:  # whatever it is, the next round may do without
            self.tell(f"stopped for a minute: {fault_words(error)}")
            return False
        return True

    def _round(self) -> list[Problem]:
        """Collect and grade what is whole now; return and tell what somebody must look at."""
        course = self.course()
        problems = self._collect(course)
        began = time.monotonic()
        self.submitted.look(looks_of_submitted(course, self._names()))
        self._looking = time.monotonic() - began
        whole = self.submitted.whole()
        for name in dict.fromkeys(name for name, _ in whole):
            looks = {key: look for key, look in whole.items() if key[0] == name}
            known = course.submitted(name)
            students = sorted(student for _, student in looks if student in known)
            try:
                problems += self._grade(course, name, students) if students else []
            except UnsafeHere:
                raise
            except Exception as error:  # it is tried again with everything; others go on
                if stops_all(error):
                    raise
                problems.append(Problem(f"{name}: {fault_words(error)}"))
            self.submitted.done(looks)
        if whole:
            found = list[Problem]()
            bring_report_up_to_date(course, found, lambda _: None)
            problems += [one for one in told(course, found) if one not in problems]
        for problem in problems:
            if problem not in self._told:
                self.tell(f"needs attention: {problem}")
        self._told.update(problems)
        return problems

    def _grade(self, course: Course, name: str, students: Collection[str]) -> list[Problem]:
        """Grade students' submissions, unless they have their result."""
        began = time.monotonic()
        run = grade_assignment(
            course,
            name,
            _Teller(name, self.tell),
            students,
            self.device,
            self.workers,
            engine=self.engine,
            report=False,
        )
        if run.graded:
            count, seconds = len(run.graded), time.monotonic() - began
            self.tell(f"{name}: {count} graded and recorded in {seconds:.1f} s")
        own = [one for one in run.problems if one.student is None or one.student in students]
        return [*own, *(Problem(f"{name}: {visible(s)} is no student's name") for s in run.unfit)]

    def _collect(self, course: Course) -> list[Problem]:
        """Bring in what is whole in the exchange."""
        if self.exchange is None:
            return []
        inbound = inbound_of(self.exchange)
        self.attempts.look(looks_of_exchange(inbound))
        whole = self.attempts.whole()
        if not whole:
            return []
        report = collect(course, [inbound], form="exchange", leave=self.attempts.growing())
        self.attempts.done(whole)
        self.tell(f"{inbound}: {len(whole)} new, {len(report.taken)} taken")
        return [Problem(course.in_words(said)) for said in report.problems()]

    def _names(self) -> list[str]:
        """Return the assignments that can be graded now."""
        course = self.course()
        names = self.names or course.assignments()
        return [name for name in names if course.bundle(name).is_file()]
