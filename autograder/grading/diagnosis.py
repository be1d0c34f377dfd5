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
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.artefacts.bundle import NamedMutant
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared
from autograder.authoring.subject import Session
from autograder.grading.cases import Draw, run_against
from autograder.grading.hints import hint
from autograder.grading.likeness import (
    CaseOutcome,
    CaseOutcomes,
    Fit,
    fit_of,
    something_is_right,
    tells,
    wrong_of,
)
from autograder.grading.perturbed import Perturbation, PerturbedSession
from autograder.grading.rounding import is_small, is_such_rounding, lower_precisions
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["CaseOutcome", "Diagnoses"]

CASE_SECONDS = 2.0  # that a known mistake may take for one case
SECONDS = 6.0  # of the processor that all mistakes together may take for one submission
MOST = 3  # mistakes that are named where several give the same
NEAR = 1e-3  # of the largest value wanted
_OR = "; or: "
_ROUNDED = "right but for rounding: "
_NEARLY = (
    "nearly right: no value is off by more than a thousandth of the largest; look at small terms, "
    "such as an ε, and at rounding"
)
_MISSED = (Verdict.FAILED, Verdict.ERRORED)


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
        checks = [self._oracle.checks[name] for name, of in outcomes.items() if wrong_of(of)]
        until, found = time.process_time() + seconds, {}
        for i, check in enumerate(checks):
            share = (until - time.process_time()) / (len(checks) - i)
            with suppress(Exception):
                said = self.of(check, outcomes[check.name], draw, share)
                if said is not None:
                    found[check.name] = said
        return _nearly_right(checks, outcomes) | _of_one_mind(checks, found)

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
        wrong = wrong_of(outcomes)
        if not wrong or any(not _can_be_named(o.result) for o in wrong.values()):
            return None
        telling = any(map(tells, wrong.values()))
        until = time.process_time() + seconds
        # Cases that went wrong first: they tell most mistakes apart.
        cases = sorted(
            (c for c in check.cases if c.name in outcomes), key=lambda c: c.name not in wrong
        )

        def fits(names: Mapping[str, Any]) -> Fit:
            """Return how well a mistake fits: as well as in the case where it does least."""
            runs = (self._run(check, case, names, draw, until) for case in cases)
            found = [Fit.SAME]
            for case, run in zip(cases, runs, strict=True):
                found.append(fit_of(outcomes[case.name], run))
                if found[-1] is Fit.NONE:
                    break
            return min(found)

        if telling:
            mistakes = self._oracle.bank(check).mistakes
            known = self._rejects.get(check.name, [m.label for m in mistakes])
            tried = [(m.title, fits(m.values)) for m in mistakes if m.label in known]
            # NaN stands where a mistake has an infinity, if nothing else tells them apart.
            in_kind = [Fit.ALIKE] if something_is_right(outcomes) else []
            for wanted in [Fit.SAME, *in_kind]:
                if titles := [title for title, fit in tried if fit is wanted]:
                    return _OR.join(dict.fromkeys(titles[:MOST]))
        said = self._rounding(check, wrong, draw, until)
        said = said or hint([o.wrong for o in wrong.values() if o.wrong is not None], len(wrong))
        if said is not None or not telling or any(one.wrong is None for one in wrong.values()):
            return said  # an error's text may be anybody's: a mutant is told by its values
        for mutant in self._mutants:
            names = self._changed_by(mutant) if check.name in mutant.checks else {}
            if names and fits(names) is Fit.SAME:
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
                session = PerturbedSession(self._oracle.namespace, precision)
                run = self._run_in(lenient, case, session, draw, until)
                place = len(wrong[case.name].compared) - 1
                return is_such_rounding(failed[case.name], run.compared, place)

            if all(map(fits, cases)):
                looks = f"it looks like {precision.name} somewhere on the way"
                return f"{_ROUNDED}{looks}"
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


_UNKNOWN = CaseResult("", False, Verdict.BROKEN, 0.0)


def _can_be_named(result: CaseResult) -> bool:
    """Return whether a case went wrong as a mistake may; what is not answered is none."""
    return result.verdict in _MISSED and result.blank is None


def _of_one_mind(checks: Sequence[Check], found: Mapping[str, str]) -> dict[str, str]:
    """Return what was found, without rounding where another check of the question fails otherwise.

    Args:
        checks: those that did not pass.
        found: what they look like, by check.
    """
    said: dict[str, set[str | None]] = {}
    for check in checks:
        said.setdefault(check.question, set()).add(found.get(check.name))
    alone = {check.name for check in checks if len(said[check.question]) > 1}
    return {
        name: text
        for name, text in found.items()
        if name not in alone or not text.startswith(_ROUNDED)
    }


def _nearly_right(checks: Sequence[Check], outcomes: Mapping[str, CaseOutcomes]) -> dict[str, str]:
    """Return that values are near, for checks of a question that fail by little together.

    They fail for one reason, which is none of what each of them is about.

    Args:
        checks: those that did not pass.
        outcomes: of their cases, by check.
    """
    near = [check for check in checks if _is_near(wrong_of(outcomes[check.name]))]
    together = Counter(check.question for check in near)
    return {check.name: _NEARLY for check in near if together[check.question] > 1}


def _is_near(wrong: CaseOutcomes) -> bool:
    failed = [one.wrong for one in wrong.values() if one.wrong is not None]
    return len(failed) == len(wrong) and is_small(failed, NEAR)
