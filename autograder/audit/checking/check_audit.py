"""One check: everything that must pass it, everything that must fail it, and how far apart."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult
from autograder.audit.checking.asked import heard_in_a_run, told_apart, unused_parameters
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.trial import FEW, CheckTrial, Tell
from autograder.audit.checking.tried import CheckAudit
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Case, Check
from autograder.authoring.devices import CUDA, device_of_this_run

__all__ = ["audit_check", "is_certain"]


def audit_check(
    check: Check,
    names: Sequence[str],
    known: Collection[str],
    oracle: Oracle,
    tell: Tell = lambda: None,
    draws: Sequence[Case] = (),
    earlier: Earlier | None = None,
    seconds: float = 0.0,
) -> CheckAudit:
    """Try on a check all that must pass and all that must fail, but mutants.

    Args:
        check: which; it is tried with the default standard.
        names: what it asks of students, as its text tells.
        known: all that is asked of students.
        oracle: the reference.
        tell: is called now and then, as a sign of life.
        draws: of its domain; those that are cases are tried as cases.
        earlier: what came of the mistakes so far.
        seconds: of the processor that the check has taken before.
    """
    found = CheckAudit(check.name, typical=check.typical)
    if check.device == CUDA and device_of_this_run() != CUDA:
        found.notes.append("needs a GPU: nothing was tried on this machine")
        return found
    if not CheckTrial(check, oracle, found, tell).reference(seconds):
        return found  # all else would be said of wrong values
    heard = heard_in_a_run(check, oracle)
    asked = {*names, *heard.asked & set(known)}
    elsewhere = set(known) - asked - heard.told - set(check.given)
    bank, others = told_apart(oracle.bank(check), elsewhere)
    found.passing |= {mistake.label: 0.0 for mistake in others.mistakes}  # as the reference does
    found.passed |= {alternative.label for alternative in others.alternatives}
    found.accepts += len(others.alternatives)
    oracle = replace(oracle, banks={check.question: bank})
    trial = CheckTrial(check, oracle, found, tell, earlier)
    trial.right_answers(heard.compared)
    trial.variants()
    tried = {case.name for case in check.cases}
    if more := [case for case in draws if case.name not in tried]:
        few = more[:FEW] if found.is_long else more
        CheckTrial(check.only(few), oracle, found, tell).promised()
    kept = {case.name for case in draws}
    if left_out := sum(case.name not in kept for case in check.pool()):
        found.notes.append(f"{left_out} draws are no cases: rounding decides what is right there")
    if check.points:
        trial.null_models(sorted(asked), heard.kinds)
    found.findings += unused_parameters(check)
    return found


def is_certain(
    check: Check,
    mistake: Variant,
    oracle: Oracle,
    found: CheckAudit,
    first: list[CaseResult] | None = None,
    earlier: Earlier | None = None,
) -> bool:
    """Return whether a check rejects a mistake whatever inputs are drawn, and twice alike.

    Args:
        check: which rejects it for some inputs.
        mistake: of its question.
        oracle: the reference.
        found: takes how far it is from passing, and what must not be.
        first: how it was rejected, if that was now.
        earlier: what came of the mistakes so far.
    """
    return CheckTrial(check, oracle, found, lambda: None, earlier).is_certain(mistake, first)
