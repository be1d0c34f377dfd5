"""Prices: a mistake that costs what it is worth, whatever number of checks it fails.

A mistake of the bank may have a price. A submission whose answers equal that mistake's in every
case of the question, also where they pass, loses the price in place of what its checks come to. The
trusted side compares: the mistake runs in this process, on the inputs that the submission had, and
the submission is asked once more, each case to its end. Nothing of it is sent to a session.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import QuestionResult, Status, Verdict
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared
from autograder.grading.answers import Answers, answers_in, are_equal, begins_alike
from autograder.grading.cases import Draw
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["Asked", "Prices"]

CASE_SECONDS = 60.0  # that a mistake may take for one case, as in the audit
_ANSWERED = (Verdict.PASSED, Verdict.FAILED, Verdict.ERRORED)
# Runs the cases of a check once more, in sessions of the submission, and returns its answers.
Asked = Callable[[Check], Mapping[str, Answers]]


class Prices:
    """The priced mistakes of an assignment.

    Args:
        oracle: the checks with their banks, and the reference.
    """

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def mistake_in(
        self,
        question: QuestionResult,
        compared: Mapping[tuple[str, str], Sequence[Compared]],
        asked: Asked,
        draw: Draw,
    ) -> Variant | None:
        """Return the priced mistake that a submission's answers to a question equal, if one is.

        Of several the cheapest; none that would cost more than the checks have taken.

        Args:
            question: what its checks came to.
            compared: of each case that did not pass, the numbers that were compared.
            asked: asks the submission once more; only where its wrong numbers are a mistake's.
            draw: gives a case's inputs, as the submission had them.
        """
        if not _can_have_a_price(question):
            return None
        mistakes = self._oracle.banks.get(question.id, Bank()).mistakes
        priced = [(m.costs, m) for m in mistakes if m.costs is not None]
        mine = _Once(asked)
        for costs, mistake in sorted(priced, key=lambda pair: pair[0]):
            if question.points - costs < question.earned:
                return None
            trial = _Trial(self._oracle, mistake, draw)
            if trial.begins_like(question, compared) and trial.equals(question, mine):
                return mistake
        return None


class _Once:
    """A submission's answers to some checks, for each of which it is asked once."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._known: dict[str, Mapping[str, Answers]] = {}

    def get(self, check: Check, case: Case) -> Answers | None:
        """Return the answers in a case; None where none came."""
        if check.name not in self._known:
            self._known[check.name] = self._asked(check)
        return self._known[check.name].get(case.name)


class _Trial:
    """A mistake in the place of a submission, on the same inputs."""

    def __init__(self, oracle: Oracle, mistake: Variant, draw: Draw) -> None:
        self._oracle, self._draw = oracle, draw
        self._names = {**oracle.namespace, **mistake.values}
        self._known: dict[tuple[str, str], Answers] = {}

    def begins_like(
        self, question: QuestionResult, compared: Mapping[tuple[str, str], Sequence[Compared]]
    ) -> bool:
        """Return whether the mistake gives the numbers that failed, and those before them."""
        return all(
            begins_alike(compared.get((check.name, case.name), ()), self._answers(check, case))
            for check, case in self._cases(question, passed=False)
        )

    def equals(self, question: QuestionResult, mine: _Once) -> bool:
        """Return whether the mistake answers as the submission does, in every case."""
        cases = [*self._cases(question, passed=False), *self._cases(question, passed=True)]
        return all(
            (one := mine.get(check, case)) is not None
            and are_equal(one, self._answers(check, case), self._oracle.standard(check))
            for check, case in cases
        )

    def _cases(self, question: QuestionResult, passed: bool) -> Iterator[tuple[Check, Case]]:
        for result in question.checks:
            check = self._oracle.checks[result.name]
            verdicts = {one.name: one.verdict for one in result.cases}
            for case in check.cases:
                if (verdicts[case.name] is Verdict.PASSED) is passed:
                    yield check, case

    def _answers(self, check: Check, case: Case) -> Answers:
        place = check.name, case.name
        if place not in self._known:
            session = InProcessSession(dict(self._names))
            self._known[place] = answers_in(
                self._oracle, check, case, session, self._draw, CASE_SECONDS
            )
        return self._known[place]


def _can_have_a_price(question: QuestionResult) -> bool:
    """Return whether a question was answered, is decided, and lost points by its answers."""
    cases = [case for check in question.checks for case in check.cases]
    return (
        question.status is Status.GRADED
        and any(case.verdict is not Verdict.PASSED for case in cases)
        and all(case.verdict in _ANSWERED and case.blank is None for case in cases)
    )
