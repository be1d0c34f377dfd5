"""Trials: does a mutant differ from the reference on anything at all?

A mutant that passes every check is either as right as the reference or a gap in the checks. A trial
goes far beyond the cases: the arguments that the checks pass are varied, and the checks are run
under further secrets.
"""

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.replayed import ReplayedReference
from autograder.audit.mutation.calls import CALL_SECONDS, Call, agree, is_finite, outcome, watched
from autograder.audit.mutation.mutants import Mutant, Site
from autograder.audit.mutation.variations import scaled, varied_call, varied_parameters
from autograder.authoring.checks import Case, Check
from autograder.grading.cases import drawn_under, run_against
from autograder.grading.watchdog import watchdog
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["Trial", "run_one"]

INPUTS = 200  # of each function
TRIES = 3 * INPUTS
FEW = 10  # inputs that say too little
SECRETS = 20
TELLING = 200  # cases that are looked at for one that tells a mutant apart
FEW_SECRETS = 3  # one, where the cases take long
LONGEST = 0.25  # seconds of the processor for the calls, and for the runs; then fewer will do
WAITING = 20  # times as long as its own seconds is what a case may take on a busy machine


def run_one(
    oracle: Oracle,
    check: Check,
    case: Case,
    student: InProcessSession,
    secret: bytes,
    seconds: float,
) -> CaseResult:
    """Run a case in this process with a session in the student's place.

    Its seconds are the processor's, so that the result is the same on a busy machine.
    """
    draw = drawn_under(secret, oracle.assignment)
    with watchdog(seconds, of_processor=True):
        reference = ReplayedReference(oracle)
        longest = WAITING * seconds
        return run_against(oracle, check, case, student, draw, seconds=longest, reference=reference)


@dataclass(frozen=True)
class _Run:
    """A case, perhaps with other parameters, under a secret: the reference passes it."""

    check: Check
    case: Case
    secret: bytes
    varied: bool

    def __str__(self) -> str:
        text = f"check {self.check.name}, case {self.case.name!r}"
        if not self.varied:
            return f"{text} under another secret"
        return f"{text} with {', '.join(f'{k}={v!r}' for k, v in self.case.parameters.items())}"


class Trial:
    """What the mutants of a site are tried on.

    Args:
        site: where they are.
        checks: that ask for its names.
        limits: seconds that a case of a check may take, by check.
        oracle: whose functions and checks they are held against.

    Attributes:
        tell: is told that the trial goes on, and how many seconds the next part may take.
    """

    def __init__(
        self,
        site: Site,
        checks: Sequence[Check],
        limits: Mapping[str, float],
        oracle: Oracle,
    ) -> None:
        self.tell: Callable[[float], None] = lambda _: None
        self._site, self._checks, self._limits, self._oracle = site, checks, limits, oracle
        self._pure = any(check.pure for check in checks)
        self._seed = zlib.crc32(f"{site.place} {site.name}".encode())

    def difference(self, mutant: Mutant) -> str | None:
        """Return on what a mutant differs from the reference, None if on nothing that was tried."""
        try:
            namespace = mutant.namespace()
        except Exception as error:
            return f"{type(error).__name__} when it is defined"
        for call, want in self._calls:
            if self._differs(namespace[call.name], call, want):
                return str(call)
        for run in self._runs:
            if not self._passes(run, namespace):
                return str(run)
        return None

    def telling_case(self, mutant: Mutant) -> str | None:
        """Return a case, as an author writes it, that a mutant fails and the reference passes.

        Args:
            mutant: that differs, and passes all cases that there are.
        """
        rng, began = np.random.default_rng(self._seed), time.process_time()
        namespace = mutant.namespace()
        written = [(k, c) for k in self._checks for c in k.cases if c.parameters]
        for _ in range(TELLING if written else 0):
            check, case = written[int(rng.integers(len(written)))]
            case = _varied(case, rng)
            run = _Run(check, case, b"telling", True)
            if self._passes(run, self._oracle.namespace) and not self._passes(run, namespace):
                given = "".join(f", {k}={v!r}" for k, v in case.parameters.items())
                return f'@case("tells it apart"{given})  # of {check.name}'
            if time.process_time() - began > LONGEST:
                break
        return None

    @cached_property
    def _calls(self) -> list[tuple[Call, list[Any]]]:
        """Calls that the reference answers by finite values, some as the checks make them."""
        rng, began = np.random.default_rng(self._seed), time.process_time()
        seen = [call for check in self._checks for call in self._made_by(check)]
        found: list[tuple[Call, list[Any]]] = []
        for i in range(TRIES if seen else 0):
            call = seen[i % len(seen)]
            target = self._oracle.namespace[call.name]
            if i >= len(seen):
                args, kwargs = varied_call(target, call.args, call.kwargs, rng)
                call = replace(call, args=args, kwargs=kwargs)
            want = self._outcome(target, call)
            if want is not None and is_finite(want):
                found.append((call, want))
            slow = len(found) >= FEW and time.process_time() - began > LONGEST
            if slow or len(found) == INPUTS:
                break
        return found

    def _made_by(self, check: Check) -> list[Call]:
        """Return some calls that a check makes of what is asked for at the site."""
        found = []
        for case in check.cases:
            made: list[Call] = []
            known = self._oracle.namespace
            watching = {n: watched(n, known[n], made) for n in self._site.names}
            self._run(check, case, {**known, **{n: w for n, w in watching.items() if w}}, b"trial")
            found += made
        return found

    def _outcome(self, target: Any, call: Call) -> list[Any] | None:
        self.tell(CALL_SECONDS)
        return outcome(target, call, self._pure)

    def _differs(self, target: Any, call: Call, want: list[Any]) -> bool:
        if agree(self._outcome(target, call), want):
            return False
        # Where rounding decides, the reference does not agree with itself either.
        reference = self._oracle.namespace[call.name]
        for factor in (1, -1):
            near = replace(call, args=scaled(call.args, factor), kwargs=scaled(call.kwargs, factor))
            if agree(self._outcome(reference, near), want):
                return True
        return False

    @cached_property
    def _runs(self) -> list[_Run]:
        """Cases under some secrets; more, and other parameters too, where calls say too little."""
        rng, few_calls = np.random.default_rng(self._seed), len(self._calls) < FEW
        found, began = [], time.process_time()
        for number in range(SECRETS):
            late = time.process_time() - began > LONGEST
            if number >= (1 if late else FEW_SECRETS) and (late or not few_calls):
                break
            secret = f"trial {number}".encode()
            for check in self._checks:
                runs = [_Run(check, case, secret, False) for case in check.cases]
                if few_calls:
                    runs += [replace(r, case=_varied(r.case, rng), varied=True) for r in runs]
                found += [run for run in runs if self._passes(run, self._oracle.namespace)]
        return found

    def _passes(self, run: _Run, namespace: dict[str, Any]) -> bool:
        try:
            result = self._run(run.check, run.case, dict(namespace), run.secret)
        except TimeoutError:
            return False
        return result.verdict is Verdict.PASSED

    def _run(
        self, check: Check, case: Case, namespace: dict[str, Any], secret: bytes
    ) -> CaseResult:
        limit = self._limits[check.name]
        self.tell(limit)
        return run_one(self._oracle, check, case, InProcessSession(namespace), secret, limit)


def _varied(case: Case, rng: np.random.Generator) -> Case:
    return replace(case, parameters=varied_parameters(case.parameters, rng))
