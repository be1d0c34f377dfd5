"""Diagnosis: which known mistake gives the values that a student's code gave.

Every submission has inputs of its own. So the known mistakes of a check are run on those of the
case that went wrong, where most of them can be told apart at once; only those that fit there are
run on the others. A diagnosis says what the author wrote of the mistake, and nothing of the inputs.
"""

import operator
import time
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.artefacts.bundle import NamedMutant
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared
from autograder.authoring.subject import Session
from autograder.authoring.tolerance import compare
from autograder.grading.cases import Draw, run_against
from autograder.grading.hints import hint
from autograder.grading.perturbed import Perturbation, perturbed_session
from autograder.grading.rounding import is_small, is_such_rounding, lower_precisions
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["CaseOutcome", "Diagnoses"]

CASE_SECONDS = 2.0  # that a known mistake may take for one case
SECONDS = 6.0  # of the processor that all mistakes together may take for one submission
LARGEST = 1 << 20  # numbers of an array that are looked at
FEW_DIGITS = 3  # a number of so many digits may be anybody's
MOST = 3  # mistakes that are named where several give the same
_OR = "; or: "
_MISSED = (Verdict.FAILED, Verdict.ERRORED)


@dataclass(frozen=True)
class CaseOutcome:
    """What came of a case: the result, and the numbers that were compared in it."""

    result: CaseResult
    compared: Sequence[Compared]

    @property
    def wrong(self) -> Compared | None:
        """The comparison that failed; None where something else did."""
        last = self.compared[-1] if self.compared else None
        return last if last is not None and last.margin > 1.0 else None


CaseOutcomes = Mapping[str, CaseOutcome]  # of a check's cases, by name


class Diagnoses:
    """The known mistakes of an assignment's checks.

    Args:
        oracle: the checks with their mistakes, and the reference.
        mutants: further ones, that the audit found.
        rejects: titles of the mistakes that a check is known to reject, by its name; all of its
            question, for a check that is not named.
    """

    def __init__(
        self,
        oracle: Oracle,
        mutants: Sequence[NamedMutant] = (),
        rejects: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._oracle, self._mutants, self._rejects = oracle, mutants, rejects or {}

    def of_all(
        self, outcomes: Mapping[str, CaseOutcomes], draw: Draw, seconds: float = SECONDS
    ) -> dict[str, str]:
        """Return what the wrong values of each check look like, where they look like something.

        Whatever fails here costs nobody anything.

        Args:
            outcomes: of the cases of a submission's checks, by check and case.
            draw: gives a case's inputs, as the submission had them.
            seconds: of the processor that all mistakes may take; what a check leaves of its share
                is the next ones'.
        """
        checks = [self._oracle.checks[name] for name, of in outcomes.items() if _wrong(of)]
        until, found = time.process_time() + seconds, {}
        for i, check in enumerate(checks):
            share = (until - time.process_time()) / (len(checks) - i)
            with suppress(Exception):
                said = self.of(check, outcomes[check.name], draw, share)
                if said is not None:
                    found[check.name] = said
        return found

    def of(
        self, check: Check, outcomes: CaseOutcomes, draw: Draw, seconds: float = SECONDS
    ) -> str | None:
        """Return what a student's wrong values look like, if all of them look like one thing.

        Args:
            check: which was run.
            outcomes: of its cases, by name.
            draw: gives a case's inputs, as the submission had them.
            seconds: of the processor, after which no further mistake is tried.
        """
        wrong = _wrong(outcomes)
        if not wrong or any(not _can_be_named(o.result) for o in wrong.values()):
            return None
        telling = any(map(_tells, wrong.values()))
        until = time.process_time() + seconds
        # Cases that went wrong first: they tell most mistakes apart.
        cases = sorted(
            (c for c in check.cases if c.name in outcomes), key=lambda c: c.name not in wrong
        )

        def fits(names: Mapping[str, Any]) -> bool:
            runs = (self._run(check, case, names, draw, until) for case in cases)
            return all(_same(outcomes[c.name], run) for c, run in zip(cases, runs, strict=True))

        if telling:
            mistakes = self._oracle.bank(check).mistakes
            known = self._rejects.get(check.name, [m.label for m in mistakes])
            titles = [m.title for m in mistakes if m.label in known and fits(m.values)]
            if titles:
                return _OR.join(dict.fromkeys(titles[:MOST]))
        said = self._rounding(check, wrong, draw, until)
        said = said or hint([o.wrong for o in wrong.values() if o.wrong is not None], len(wrong))
        if said is not None or not telling:
            return said
        for mutant in self._mutants:
            if check.name in mutant.checks and (names := self._changed_by(mutant)) and fits(names):
                return mutant.title
        return None

    def _rounding(self, check: Check, wrong: CaseOutcomes, draw: Draw, until: float) -> str | None:
        """Return that values are right but for rounding, if the reference so rounded is as well."""
        failed = {name: one.wrong for name, one in wrong.items() if one.wrong is not None}
        if len(failed) < len(wrong) or not is_small(list(failed.values())):
            return None
        cases = [case for case in check.cases if case.name in failed]
        lenient = replace(check, pure=False)  # arguments come back rounded
        for precision in lower_precisions():

            def fits(case: Case, precision: Perturbation = precision) -> bool:
                session = perturbed_session(self._oracle.namespace, precision)
                run = self._run_in(lenient, case, session, draw, until)
                place = len(wrong[case.name].compared) - 1
                return is_such_rounding(failed[case.name], run.compared, place)

            if all(map(fits, cases)):
                looks = f"it looks like {precision.name} somewhere on the way"
                return f"right but for rounding: {looks}"
        return None

    def _changed_by(self, mutant: NamedMutant) -> dict[str, Any]:
        """Return what names stand for where a mistake was made; nothing if it defines nothing."""
        brought = {name: self._oracle.modules[m][name] for name, m in mutant.origins.items()}
        names = {"operator": operator, **self._oracle.namespace, **brought}
        try:
            for text in mutant.texts:
                exec(compile(text, "<mistake>", "exec", dont_inherit=True), names)
        except Exception:  # a definition that its mistake keeps from being run
            return {}
        return names

    def _run(
        self, check: Check, case: Case, names: Mapping[str, Any], draw: Draw, until: float
    ) -> CaseOutcome:
        """Return what a student gets in a case for whom some names stand for something else."""
        session = InProcessSession({**self._oracle.namespace, **names})
        return self._run_in(check, case, session, draw, until)

    def _run_in(
        self, check: Check, case: Case, session: Session, draw: Draw, until: float
    ) -> CaseOutcome:
        """Return what a student gets in a case whose session this is."""
        left = until - time.process_time()
        if left <= 0:
            return CaseOutcome(_UNKNOWN, [])
        seen: list[Compared] = []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a mistake may divide by zero
            result = run_against(
                self._oracle,
                check,
                case,
                session,
                draw,
                seconds=min(left, CASE_SECONDS),
                compared=seen,
            )
        return CaseOutcome(result, seen)


def _wrong(outcomes: CaseOutcomes) -> dict[str, CaseOutcome]:
    """Return those of a check's cases that did not pass."""
    return {n: o for n, o in outcomes.items() if o.result.verdict is not Verdict.PASSED}


_UNKNOWN = CaseResult("", False, Verdict.BROKEN, 0.0)


def _can_be_named(result: CaseResult) -> bool:
    """Return whether a case went wrong as a mistake may; what is not answered is none."""
    return result.verdict in _MISSED and result.blank is None


def _same(student: CaseOutcome, mutant: CaseOutcome) -> bool:
    """Return whether a mistake comes to the same as a student's code: verdict, place and values."""
    if student.result.verdict is not mutant.result.verdict:
        return False
    if student.result.verdict is Verdict.PASSED:
        return True
    if len(student.compared) != len(mutant.compared):
        return False
    mine, theirs = student.wrong, mutant.wrong
    if mine is None or theirs is None:
        # It failed on something else than numbers, and what was said names it: an argument changed.
        return mine is theirs and student.result.said == mutant.result.said
    return (
        mine.what == theirs.what
        and mine.got.shape == theirs.got.shape
        and compare(mine.got, theirs.got, mine.tolerance).wrong == 0
    )


def _tells(outcome: CaseOutcome) -> bool:
    """Return whether what is wrong in a case tells enough to be no coincidence.

    Two different numbers do, and one with some digits; a single 0.5 may be anybody's. So do a
    message, anything behind numbers that were right, and what is no number where one is wanted.
    """
    one = outcome.wrong
    if one is None or sum(before.got.size for before in outcome.compared[:-1]) > 1:
        return True
    numbers = Counter(_wrong_numbers(one))
    if np.isfinite(one.want).all() and not all(map(np.isfinite, numbers)):
        return True
    return len(numbers) > 1 or any(
        min(times, 2) * _digits(number) > FEW_DIGITS for number, times in numbers.items()
    )


def _wrong_numbers(one: Compared) -> list[complex]:
    got: NDArray[Any] = np.atleast_1d(one.got).ravel()[:LARGEST]
    want = np.atleast_1d(one.want).ravel()[:LARGEST]
    with np.errstate(all="ignore"):
        far = ~(np.abs(got - want) <= one.tolerance.atol + one.tolerance.rtol * np.abs(want))
    return [complex(number) for number in got[far][:16]]


def _digits(number: complex) -> int:
    if not np.isfinite(number):
        return 0
    text = f"{abs(number):.12e}".partition("e")[0].replace(".", "").rstrip("0")
    return len(text)
