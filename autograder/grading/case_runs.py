"""The cases of a submission: in which sessions of its notebook they run, and how often."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from itertools import product

import msgspec

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import Blank, CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared
from autograder.authoring.subject import Session
from autograder.errors import StudentError, StudentKilled, StudentTimeout
from autograder.grading.answers import Answers, answers_in
from autograder.grading.cases import Draw, run_against
from autograder.grading.in_place import RunCases, run_in_place
from autograder.grading.last_call import LastCall
from autograder.grading.submission import Submission
from autograder.grading.substitutes import giving, run_given, wants_given
from autograder.grading.unproven import is_unproven, put_to_the_test
from autograder.sandbox.client.session import CheckSession, NotebookSession
from autograder.sandbox.limits import Limits

__all__ = ["CaseRuns", "stops_of"]

MAX_TIMEOUTS = 2  # of the cases of one check
MAX_ENDS = 2  # of whole sessions, each of which costs a run of the notebook, by one check
MISSED = (Verdict.FAILED, Verdict.ERRORED, Verdict.TIMED_OUT, Verdict.KILLED)
OWN_SECONDS = 30.0  # that a check's own code may take beside the student's


class CaseRuns:
    """Runs the cases of one submission.

    Attributes:
        in_place: the names of checks that count as the notebook stood where they stand.
        outcomes: the results, by check and case.
        compared: of each case that did not pass, the comparisons of numbers that were made.

    Args:
        oracle: the checks and the reference.
        notebook: in whose sessions they run.
        limits: of the submission.
        device: on which it runs, ``cpu`` or ``cuda``.
        draw: returns the generator of a case's inputs.
        places: how many cells stand above the checks.
        questions: to run the checks of these only; None is all.
    """

    def __init__(
        self,
        oracle: Oracle,
        notebook: NotebookSession,
        limits: Limits,
        device: str,
        draw: Draw,
        places: Mapping[str, int],
        questions: Collection[str] | None = None,
    ) -> None:
        self._oracle, self._notebook = oracle, notebook
        self._limits, self._device, self._draw = limits, device, draw
        self._places = places
        checks = oracle.checks.values()
        self._checks = [k for k in checks if questions is None or k.question in questions]
        self._ends = Counter[str]()  # of sessions, by the check that ended them
        self._doubtful = list[tuple[Check, Case]]()  # whose failing may be another check's doing
        self.in_place = frozenset[str]()
        self.outcomes: dict[str, dict[str, CaseResult]] = {check.name: {} for check in checks}
        self.compared: dict[tuple[str, str], list[Compared]] = {}

    def run_all(self) -> None:
        """Run every case: first the visible ones, then the hidden ones.

        A student reads the messages of visible cases. Since no hidden input has been seen by then,
        whatever their code keeps or sends, no message can tell of one. Of the hidden ones those of
        checks without visible cases come first: nothing is run before them, so that they are run
        once, and nobody can guess at an answer twice.
        """
        shared = all(map(_shows_something, self._checks))
        for hidden in (False, True):
            checks = sorted(self._checks, key=_shows_something) if hidden else self._checks
            left = deque((k, c) for k in checks for c in k.cases if c.hidden is hidden)
            self._run(left, shared)
        self._confirm()

    def _run(self, left: deque[tuple[Check, Case]], shared: bool) -> None:
        """Run some cases in one session; after one that ended it, the others in a fresh one.

        Args:
            left: the cases.
            shared: whether the visible and the hidden ones may have the same session, where a
                notebook uses a GPU and each session costs a run of it. A hidden case that fails
                there is run again alone. A check without visible cases is run once, and so in a
                session that no other case has seen.
        """
        notebook, outcomes = self._notebook, self.outcomes
        vanished: set[tuple[str, str]] = set()
        while left:
            check, case = left[0]
            if unrun := self._reason_not_to_run(check):
                left.popleft()
                outcomes[check.name][case.name] = _without_run(case, *unrun)
                continue
            try:
                with notebook.check(shared=shared) as session:
                    last = self._run_in(session, left)
            except (StudentTimeout, StudentKilled) as error:  # there is no session to be had
                timeout = isinstance(error, StudentTimeout)
                verdict = Verdict.TIMED_OUT if timeout else Verdict.KILLED
                for check, case in left:
                    unrun = self._reason_not_to_run(check) or (verdict, str(error))
                    outcomes[check.name][case.name] = _without_run(case, *unrun)
                return
            if last is None:
                continue
            check, case = last
            if notebook.on_device:  # it may be shared, and the case has spoilt it
                notebook.close()
            self._ends[check.name] += not notebook.is_open
            if notebook.vanished and (place := (check.name, case.name)) not in vanished:
                vanished.add(place)  # once more: it may have been killed by somebody else
                left.appendleft(last)
            elif notebook.anew:  # each session runs the whole notebook: right answers come first
                left.rotate(-sum(pair[0] is check for pair in left))

    def _run_in(
        self, session: CheckSession, left: deque[tuple[Check, Case]]
    ) -> tuple[Check, Case] | None:
        """Run cases until the session is ended or a check is to have one of its own.

        Checks share a session for as long as they pass. A check whose hidden cases do not pass
        behind another's is put back, to be the first of the next session: no check fails for what
        another has done, and most need no fork of their own. A stub needs none: it fails by itself.
        Where a session costs a run of the notebook, that waits until all others have run.

        Returns:
            The case that ended the session, if one did.
        """
        notebook, outcomes = self._notebook, self.outcomes
        first = left[0][0]
        while left and not self._reason_not_to_run(left[0][0]):
            check, case = left.popleft()
            result = self._run_case(check, case, session)
            outcomes[check.name][case.name] = result
            ended = result.verdict in (Verdict.TIMED_OUT, Verdict.KILLED)
            spoilt = (check is not first or notebook.is_used) and _shows_something(check)
            if case.hidden and spoilt and _may_be_another_s_doing(result):
                if notebook.anew:
                    self._doubtful.append((check, case))
                elif not (ended and notebook.vanished):
                    found = outcomes[check.name]
                    run = [c for c in check.cases if c.hidden and c.name in found]
                    for unsure in run:
                        del found[unsure.name]
                    left.extendleft((check, c) for c in reversed(run))
                    return None
            if ended:
                return check, case
        return None

    def _confirm(self) -> None:
        """Run doubtful cases of a notebook that cannot be forked again, each check alone."""
        notebook = self._notebook
        for check in dict.fromkeys(check for check, _ in self._doubtful):
            if notebook.seconds_left() < 2 * notebook.run_seconds:
                return
            with suppress(StudentTimeout, StudentKilled), notebook.check() as session:
                for doubted, case in self._doubtful:
                    if doubted is check:
                        self._run_better(check, case, session)

    def run_in_place(self, submission: Submission) -> tuple[str, ...]:
        """Run cases of failed checks on the notebook as it stood there; return notes on that."""
        failed = [
            (place, check, case)
            for check in self._checks
            for place in submission.places.get(check.name, ())
            for case in check.cases
            if not case.hidden and _may_be_another_s_doing(self.outcomes[check.name][case.name])
        ]
        runs = RunCases(self._run_better, self._run_anew)
        notes = run_in_place(self._notebook, submission.cells, failed, runs)
        outcomes = ((k.name, self.outcomes[k.name][case.name]) for _, k, case in failed)
        self.in_place = frozenset(name for name, r in outcomes if r.verdict is Verdict.PASSED)
        return notes

    def _run_anew(self, check: Check, case: Case, session: CheckSession) -> bool:
        """Run a case in another state; its result counts, whatever it is."""
        result = self._run_case(check, case, session)
        self.outcomes[check.name][case.name] = result
        return result.verdict is Verdict.PASSED

    def _run_better(self, check: Check, case: Case, session: CheckSession) -> bool:
        """Run a case once more; the result counts, and is told, only if it passes."""
        compared = self.compared.get((check.name, case.name), [])
        result = self._run_case(check, case, session)
        if result.verdict is Verdict.PASSED:
            self.outcomes[check.name][case.name] = result
            return True
        self.compared[check.name, case.name] = compared
        return False

    def run_given(self, questions: Sequence[str]) -> None:
        """Run failed cases again with what their checks are given, each check in its own session.

        Behind all other runs, and question by question as they build on each other: by the time at
        which the reference answers for a function, that function's own checks are done, so that
        nothing that a student's code keeps of the answers can help it there.

        Args:
            questions: in their order.
        """
        notebook = self._notebook
        checks = sorted(self._checks, key=lambda check: questions.index(check.question))
        for check, hidden in product(checks, (False, True)):
            found, seconds = self.outcomes[check.name], check.seconds or self._limits.call_seconds
            failed = [c for c in check.cases if wants_given(check, found[c.name])]
            if not (cases := [case for case in failed if case.hidden is hidden]):
                continue
            with suppress(StudentTimeout, StudentKilled), notebook.check() as session:
                run = partial(self._run_case, check, session=session)
                results = run_given(check, cases, session, self._oracle.namespace, seconds, run)
                found.update({result.name: result for result in results})

    def doubt_unproven(self) -> None:
        """Put cases to the test that failed by checks which may be wrong here; behind all runs."""
        for check in filter(is_unproven, self._checks):
            found, seconds = self.outcomes[check.name], check.seconds or self._limits.call_seconds
            for case in check.cases:
                result = found[case.name]
                if result.verdict not in MISSED or result.blank is Blank.STUB:
                    continue  # a stub fails whatever a check does
                own = seconds + OWN_SECONDS
                broken = put_to_the_test(self._oracle, check, case, self._draw, own)
                if broken is not None:
                    found[case.name] = broken
                    self.compared.pop((check.name, case.name), None)

    def answers(self, check: Check) -> dict[str, Answers]:
        """Run the cases of a check once more, each to its end; no verdict comes of it.

        With what the check is given, where not all has passed without it. Behind all other runs,
        and nothing of it is told. A case that ends its session, and those behind it, are left out.
        """
        found: dict[str, Answers] = {}
        names, limit = self._oracle.namespace, check.seconds or self._limits.call_seconds
        known = self.outcomes[check.name].values()
        alone = all(one.verdict is Verdict.PASSED and not one.given for one in known)
        alone = alone or not check.given
        for hidden in sorted({case.hidden for case in check.cases}):
            cases = [case for case in check.cases if case.hidden is hidden]
            with (
                suppress(StudentError),
                self._notebook.check() as session,
                nullcontext() if alone else giving(check, session, names, limit),
            ):
                seconds = self.prepare(check, session)
                for case in cases:
                    found[case.name] = answers_in(
                        self._oracle, check, case, session, self._draw, seconds
                    )
        return found

    def prepare(self, check: Check, session: CheckSession) -> float:
        """Set a session to a check; return the seconds that the check itself may take."""
        session.seconds = check.seconds or self._limits.call_seconds
        session.place = self._places.get(check.name, 0)
        session.names_there = not _shows_something(check)
        session.wake = check.device == self._device == "cuda"
        session.tf32 = check.precision == "tf32"
        self._notebook.vanished = False
        return self._notebook.seconds_left() + OWN_SECONDS

    def _run_case(self, check: Check, case: Case, session: CheckSession) -> CaseResult:
        seconds = self.prepare(check, session)
        seen: list[Compared] = []
        asked: Session = session if case.hidden else LastCall(session)
        result = run_against(
            self._oracle, check, case, asked, self._draw, seconds=seconds, compared=seen
        )
        self.compared[check.name, case.name] = [] if result.verdict is Verdict.PASSED else seen
        return _with_call(result, asked)

    def _reason_not_to_run(self, check: Check) -> tuple[Verdict, str] | None:
        """Return the verdict of a check's cases that are not to be run, and why.

        After a few time-outs the other cases of a check are not, nor after some that ended the
        whole session: an endless loop in every function would otherwise use up the time of the
        whole submission.
        """
        if check.device == "cuda" and self._device != "cuda":
            return Verdict.PENDING, "needs a GPU"
        verdicts = [result.verdict for result in self.outcomes[check.name].values()]
        if verdicts.count(Verdict.TIMED_OUT) >= MAX_TIMEOUTS:
            return Verdict.TIMED_OUT, f"not run after {MAX_TIMEOUTS} time-outs"
        if verdicts.count(Verdict.KILLED) >= MAX_ENDS and self._ends[check.name] >= MAX_ENDS:
            return Verdict.KILLED, f"not run after {MAX_ENDS} cases that ended everything"
        return None


def stops_of(checks: Iterable[Check], places: Mapping[str, int]) -> dict[int, bool]:
    """Return where a notebook's session is to remember how things stand, and whether names, too.

    Names for checks without visible cases: what stands there is the answer. No verdict decides it,
    so that none can be guessed twice.
    """
    stops: dict[int, bool] = {}
    for check in checks:
        if (place := places.get(check.name)) is not None:
            stops[place] = stops.get(place, False) or not _shows_something(check)
    return stops


def _with_call(result: CaseResult, asked: Session) -> CaseResult:
    """Return the result of a case that failed by an answer with the call that gave it."""
    missed = result.verdict in MISSED and result.blank is None
    if missed and isinstance(asked, LastCall) and (text := asked.text) is not None:
        return msgspec.structs.replace(result, call=text)
    return result


def _shows_something(check: Check) -> bool:
    return any(not case.hidden for case in check.cases)


def _may_be_another_s_doing(result: CaseResult) -> bool:
    decided = result.verdict in (Verdict.PASSED, Verdict.PENDING, Verdict.BROKEN)
    return not decided and result.blank is not Blank.STUB


def _without_run(case: Case, verdict: Verdict, message: str) -> CaseResult:
    return CaseResult(case.name, case.hidden, verdict, 0.0, message=message)
