"""A grader that stays up: what arrives is graded within seconds, in the order in which it came.

What arrives while others are graded begins as soon as a worker is free. Nothing is remembered but
what the store holds, so that one that was killed goes on where it was.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.artefacts.results import is_final
from autograder.course import Course
from autograder.engines.arrivals import Arrivals, Look, looks_of_submitted
from autograder.engines.class_report import bring_report_up_to_date
from autograder.engines.incoming import Incoming
from autograder.engines.lines import Done, Failed, Lines
from autograder.engines.planning import Plan, Taken, plan_of
from autograder.engines.problems import Problem, fault_words, told
from autograder.engines.record import bring_up_to_date
from autograder.engines.retries import Retries
from autograder.errors import DeviceLost, UnsafeHere, stops_all
from autograder.records.store import Store
from autograder.spelling import Spelling
from autograder.visible import visible

__all__ = ["Server"]

Tell = Callable[[str], None]
Key = tuple[str, str]  # an assignment, and the name of a student's folder

PAUSE_SECONDS = 1.0  # between two looks
LOOK_SHARE = 0.1  # of the time that may go into looking
RECORD_SHARE = 0.25  # of the time that may go into records while submissions are graded
FULL_SECONDS = 900.0  # between two looks at everything, whether it is done or not
BACK_OFF_SECONDS = 60.0  # after a look that failed as a whole


@dataclass
class Server:
    """Grades what arrives in `submitted/`, and in an exchange.

    Attributes:
        course: returns the course as it is now.
        names: of assignments; none means all that are compiled.
        device: ``cpu``, ``cuda`` or ``auto``.
        lines: where submissions are graded.
        tell: is told what is done, line by line.
        incoming: what is collected from an exchange; None if there is none.
        submitted: what has arrived in `submitted/`.
        retries: what broke.
    """

    course: Callable[[], Course]
    names: Sequence[str]
    device: str
    lines: Lines
    tell: Tell
    incoming: Incoming | None = None
    submitted: Arrivals[Key] = field(default_factory=Arrivals)
    retries: Retries[Key] = field(default_factory=Retries)

    def __post_init__(self) -> None:
        self._records = _Records(self.tell)
        self._told = set[str]()  # since the look at everything before the last
        self._said = set[str]()  # since the last look at everything
        self._failing: dict[str, Collection[Key]] = {}  # what was said of runs that ended early
        self._looking = 0.0  # seconds that the last look took

    def watch(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Grade what arrives, for ever: until somebody interrupts it.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely, or there is no secret.
        """
        full = time.monotonic()
        while goes_on():
            began = time.monotonic()
            if whole := began - full >= FULL_SECONDS:
                full = began
            try:
                self._step(whole)
            except UnsafeHere:
                raise
            except Exception as error:  # whatever it is, the next look may do without
                self.tell(f"stopped for a minute: {fault_words(error)}")
                time.sleep(BACK_OFF_SECONDS)
            time.sleep(max(PAUSE_SECONDS, self._looking * (1 - LOOK_SHARE) / LOOK_SHARE))

    def once(self) -> list[Problem]:
        """Grade what is there, when it is whole, and return what somebody must look at.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely, or there is no secret.
            UsageError: `course.toml` is wrong.
        """
        problems = self._step()
        while self._is_growing() or not self.lines.are_idle or self._records.are_behind:
            time.sleep(PAUSE_SECONDS / 4)
            problems += [one for one in self._step() if one not in problems]
        away = None if self.incoming is None else self.incoming.problem
        return [*problems, away] if away is not None else problems

    def _is_growing(self) -> bool:
        incoming = self.incoming is not None and self.incoming.is_growing
        return incoming or bool(self.submitted.growing() - self.submitted.restless())

    def _step(self, everything: bool = False) -> list[Problem]:
        """Take what is graded, and begin what has arrived; return what somebody must look at.

        Args:
            everything: look at what is done, too.
        """
        course = self.course()
        problems, looking = self._take(), 0.0
        if self.incoming is not None:
            problems += self.incoming.collect(course, everything)
            looking = self.incoming.looking
        began = time.monotonic()
        names = [n for n in self.names or course.assignments() if course.bundle(n).is_file()]
        looks = looks_of_submitted(course, names)
        self.submitted.look(looks)
        self._looking = looking + time.monotonic() - began
        if everything:
            self._failing = {t: k for t, k in self._failing.items() if any(map(self._breaks, k))}
            self._told, self._said = self._said.union(self._failing), set()
            self.submitted.again([key for key in looks if key not in self.retries])
        self.submitted.again(self.retries.take_due())
        whole = self.submitted.whole()
        for name in dict.fromkeys(name for name, _ in whole):
            looks = {key: look for key, look in whole.items() if key[0] == name}
            problems += self._begin_or_say(course, name, looks)
        problems += [
            Problem(f"{name}: {visible(student)} is still written to, and is graded when that ends")
            for name, student in self.submitted.restless()
        ]
        problems += self._records.bring_up_to_date(course)
        for text in map(str, problems := list(told(course, problems))):
            self._say_once(f"needs attention: {text}")
        return problems

    def _take(self) -> list[Problem]:
        """Store what was graded, and return what went wrong."""
        problems = list[Problem]()
        for one in self.lines.done():
            if isinstance(one, Failed):
                problems.append(self._failed(one.error, [(one.name, s) for s in one.students]))
                continue
            result = one.graded.result
            key = result.assignment, result.student
            is_known = key in self.retries
            try:
                self._records.take(one)
            except BaseException:
                self.retries.broke([key])
                raise
            if is_final(result):
                self.retries.went_well([key])
            else:
                self.retries.broke([key])
            if is_final(result) or not is_known:
                points = f"{result.earned:g} of {result.possible:g}"
                self.tell(f"{result.assignment}: {result.student}: {points}, {result.status}")
        return problems

    def _failed(self, error: BaseException, keys: Collection[Key]) -> Problem:
        """Have what could not be graded tried again; return what to say of it, if others go on."""
        self.retries.broke(keys)
        if isinstance(error, UnsafeHere) or not isinstance(error, Exception) or stops_all(error):
            raise error
        name, _ = next(iter(keys))
        lost = isinstance(error, DeviceLost)
        problem = Problem(str(error) if lost else f"{name}: {fault_words(error)}")
        self._failing[f"needs attention: {problem}"] = keys
        return problem

    def _breaks(self, key: Key) -> bool:
        return key in self.retries

    def _begin_or_say(self, course: Course, name: str, looks: Mapping[Key, Look]) -> list[Problem]:
        try:
            return self._begin(course, name, looks)
        except Exception as error:
            self.submitted.done(looks)
            return [self._failed(error, list(looks))]

    def _begin(self, course: Course, name: str, looks: Mapping[Key, Look]) -> list[Problem]:
        """Have submissions graded that have no result; those under way are left for later."""
        known, unfit = course.submitted(name), course.unfit(name)
        problems = [
            Problem(f"{name}: {visible(folder)} is no student's name")
            for _, folder in looks
            if folder in unfit
        ]
        called, busy = Spelling(course.student_folders()), self.lines.under_way(name)
        looks = {key: look for key, look in looks.items() if called(key[1]) not in busy}
        turns = dict.fromkeys(s for _, folder in looks if (s := called(folder)) in known)
        if turns:
            plan = plan_of(
                course,
                name,
                turns,
                self.device,
                course.min_isolation,
                Store.get,
                again=False,
                keep=True,
                settled=True,
            )
            order = {student: number for number, student in enumerate(turns)}
            jobs = [job for job in plan.jobs if job.student not in busy]
            jobs.sort(key=lambda job: order.get(job.student, len(order)))
            if jobs:
                plan.require_writable()
                self.lines.put(plan, jobs)
            else:  # what they say may not be written, as by one that was killed
                self._records.note(plan)
            problems += plan.problems
            self.retries.went_well({(name, s) for s in turns} - {(name, j.student) for j in jobs})
            if plan.settled:
                self._say_once(
                    f"{name}: results that were made under other limits, with another secret or by "
                    "another version stand; to change them, end this and run: "
                    f"autograder grade {name}"
                )
        self.submitted.done(looks)
        return problems

    def _say_once(self, text: str) -> None:
        if text not in self._told and text not in self._said:
            self.tell(text)
        self._said.add(text)


class _Records:
    """The records of what was graded, which are brought up to date now and then."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._behind: dict[str, tuple[Plan, Taken, float]] = {}  # by assignment, and since when
        self._rested = 0.0  # when they may be written next

    @property
    def are_behind(self) -> bool:
        """Whether they do not say all that is known."""
        return bool(self._behind)

    def note(self, plan: Plan) -> None:
        """Have the records written of an assignment, of which a plan has read something."""
        self._taken(plan).seen.update(plan.seen)

    def take(self, done: Done) -> None:
        """Store what was graded."""
        self._taken(done.plan).take(done.plan, done.graded)

    def _taken(self, plan: Plan) -> Taken:
        name = plan.bundle.manifest.assignment
        _, taken, since = self._behind.get(name, (plan, Taken(), time.monotonic()))
        self._behind[name] = plan, taken, since
        return taken

    def bring_up_to_date(self, course: Course) -> list[Problem]:
        """Write pages, gradebook and report, unless that was just done; return what went wrong."""
        began = time.monotonic()
        if not self._behind or began < self._rested:
            return []
        problems = list[Problem]()
        for name, (plan, taken, since) in list(self._behind.items()):
            try:
                bring_up_to_date(
                    course, plan.bundle, taken.seen, taken.written, problems, lambda _: None
                )
            except Exception as error:  # it is tried again with everything; others go on
                if stops_all(error):
                    raise
                problems.append(Problem(f"{name}: {fault_words(error)}"))
            else:
                if count := len(taken.graded):
                    seconds = time.monotonic() - since
                    self._tell(f"{name}: {count} graded and recorded in {seconds:.1f} s")
            problems += taken.problems
            del self._behind[name]
        bring_report_up_to_date(course, problems, lambda _: None)
        ended = time.monotonic()
        self._rested = ended + (ended - began) * (1 - RECORD_SHARE) / RECORD_SHARE
        return problems
