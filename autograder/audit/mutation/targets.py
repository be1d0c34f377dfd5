"""Targets: the cases that a mutant must pass to live on, and what finds one out."""

import re
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.gaps import Gaps
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.calibration import is_far, wrong_in
from autograder.audit.forks import Mark
from autograder.audit.mutation.mutants import Mutant, Site, mutants_of
from autograder.audit.mutation.trial import Trial, run_one
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import observing
from autograder.compiler.given_functions import asked_of_students
from autograder.errors import SourceError
from autograder.grading.substitutes import run_given, wants_given
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["Kill", "Range", "asked_by", "mutants_for"]

SECRET = b"audit 1"
CASE_SECONDS = 1.0  # that a case may take, or as often the reference's time:
SLOWER = 10
_DRAWS = re.compile("rand|rng|seed|shuffle|permut|choice|drop|normal|uniform|bernoulli|multinom")
_MISSING = re.compile(r"\s*(\w+) = \1 or ")  # no mistake where a prompt promises no 0
_FOUND_OUT = (Verdict.FAILED, Verdict.ERRORED, Verdict.TIMED_OUT, Verdict.KILLED)


@dataclass(frozen=True)
class Kill:
    """The check and the case that find a mutant out, and how far it is from passing there."""

    check: str
    case: str
    margin: float | None = None
    gaps: Gaps = field(default_factory=Gaps)


@dataclass(frozen=True)
class _Target:
    """A case that a mutant must pass to live on, and how long it may take."""

    check: Check
    case: Case
    seconds: float


class Range:
    """All mutants of a bundle, and what they are tried on."""

    def __init__(
        self,
        oracle: Oracle,
        sites: Sequence[Site],
        wanted: Container[str],
        is_explained: Callable[[Mutant], bool],
    ) -> None:
        self.oracle, self._is_explained = oracle, is_explained
        known = {name for site in sites for name in site.names}
        self._asked = {
            check.name: asked_by(check, known)
            for check in oracle.checks.values()
            if check.points and check.device != "cuda"
        }
        self._limits: Mapping[tuple[str, str], float] = {}
        tried = [site for site in sites if site.id in wanted]
        self.mutants = [one for site in tried for one in enumerate(self._mutants(site))]
        if self.mutants:
            asking = {check.name for site in tried for check in self._checks(site)}
            self._limits = _limits(oracle, asking)

    def _mutants(self, site: Site) -> list[Mutant]:
        """Return the mutants of a site that a check could find out."""
        checks = self._checks(site)
        return mutants_for(site, checks) if checks else []

    def _checks(self, site: Site) -> list[Check]:
        """Return the checks that score for any name of a site."""
        return [
            self.oracle.checks[check]
            for check, asked in self._asked.items()
            if asked.intersection(site.names)
        ]

    def targets(self, site: Site) -> list[_Target]:
        """Return the cases that ask for a site, and that the reference passes."""
        return [
            _Target(check, case, self._limits[check.name, case.name])
            for check in self._checks(site)
            for case in check.cases
            if (check.name, case.name) in self._limits
        ]

    def killed_by(self, mutant: Mutant, mark: Mark) -> Kill | None:
        """Return what finds a mutant out: of the first check the case that it is furthest from.

        Cases are tried until one is so far off that no tolerance is in question.
        """
        found: Kill | None = None
        with np.errstate(all="ignore"):
            for number, target in enumerate(self.targets(mutant.site)):
                if found is not None and found.check != target.check.name:
                    break
                mark(number, 4 * target.seconds)
                kill = self._kill(mutant, target)
                if kill is not None:
                    found = kill if found is None else _further(kill, found)
                if found is not None and is_far(found.gaps):
                    break
        return found

    def killed_by_each(self, mutant: Mutant, mark: Mark) -> list[Kill]:
        """Return all that find a mutant out."""
        found = []
        with np.errstate(all="ignore"):
            for number, target in enumerate(self.targets(mutant.site)):
                mark(number, 4 * target.seconds)
                if (kill := self._kill(mutant, target)) is not None:
                    found.append(kill)
        return found

    def _kill(self, mutant: Mutant, target: _Target) -> Kill | None:
        """Return the case's kill: it finds the mutant out, and again if that may be by chance."""
        try:
            began = time.process_time()
            with observing() as seen:
                result = self._run(mutant, target)
            if result.verdict not in _FOUND_OUT:
                return None
            if time.process_time() - began >= target.seconds:  # an endless loop is one again
                return Kill(target.check.name, target.case.name)
            is_quick = target.check.seconds is None or target.seconds == CASE_SECONDS
            may_draw = _DRAWS.search(mutant.text) is not None
            if is_quick and may_draw and self._run(mutant, target).verdict not in _FOUND_OUT:
                return None  # by chance: a mutant that draws without its seed, for instance
        except Exception:  # it cannot even be defined
            return Kill(target.check.name, target.case.name)
        by = target.check.name, target.case.name
        if result.margin is None or result.margin <= 1.0 or not seen:
            return Kill(*by)
        return Kill(*by, result.margin, wrong_in(result.margin, seen[-1:]))

    def _run(self, mutant: Mutant, target: _Target) -> CaseResult:
        """Run a case with a mutant, and again with what the check is given."""
        check, seconds = target.check, target.seconds
        student = InProcessSession(mutant.namespace())
        result = run_one(self.oracle, check, target.case, student, SECRET, seconds)
        if wants_given(check, result, mutant.site.decides):
            second = InProcessSession(mutant.namespace())

            def run(case: Case) -> CaseResult:
                return run_one(self.oracle, check, case, second, SECRET, seconds)

            known = self.oracle.namespace
            for given in run_given(check, [target.case], second, known, seconds, run):
                result = given
        return result

    def difference(self, mutant: Mutant, mark: Mark) -> tuple[str | None, str | None]:
        """Return on what a mutant differs from the reference, and a case that would tell.

        Both are None if it differs on nothing; the case is if none was found.
        """
        if not self.targets(mutant.site):  # the reference passes nothing that it could fail
            return None, None
        trial = self._trial(mutant.site)
        trial.tell = lambda seconds: mark(0, seconds)
        difference = trial.difference(mutant)
        if difference is None or self._is_explained(mutant):
            return difference, None
        return difference, trial.telling_case(mutant)

    @lru_cache(maxsize=4)  # noqa: B019 - of one object, in a process that ends soon
    def _trial(self, site: Site) -> Trial:
        limits: dict[str, float] = {}
        for target in self.targets(site):
            limits[target.check.name] = max(target.seconds, limits.get(target.check.name, 0.0))
        passed = [check for check in self._checks(site) if check.name in limits]
        return Trial(site, passed, limits, self.oracle)


def _further(kill: Kill, other: Kill) -> Kill:
    """Return the further of two, with the room for single precision that lets both pass."""
    if other.margin is None or (kill.margin is not None and kill.margin <= other.margin):
        kill, other = other, kill
    single, zero = (
        max(bands, key=lambda band: band.wrong)
        for bands in (
            (kill.gaps.single, other.gaps.single),
            (kill.gaps.zero, other.gaps.zero),
        )
    )
    return replace(kill, gaps=replace(kill.gaps, single=single, zero=zero))


def mutants_for(site: Site, checks: Iterable[Check]) -> list[Mutant]:
    """Return the mutants of a site that some checks could find out."""
    checks = list(checks)
    pure, never = any(check.pure for check in checks), _never_zero(checks)
    return [
        mutant
        for mutant in mutants_of(site)
        if (pure or mutant.operator != "in place")
        and not ((found := _MISSING.match(mutant.after)) and found[1] in never)
    ]


def _never_zero(checks: Sequence[Check]) -> set[str]:
    """Return the arguments that all checks draw, and that no prompt lets be 0."""
    drawn = [
        {
            name
            for name, part in check.domain.parts.items()
            if not part.may_be_zero and all(case.parameters.get(name, 1) for case in check.cases)
        }
        for check in checks
        if check.domain is not None
    ]
    return set.intersection(*drawn) if drawn and len(drawn) == len(checks) else set()


def asked_by(check: Check, known: Set[str]) -> set[str]:
    """Return which names a check asks of a student: by name, or by a text that is one."""
    try:
        asked = set(asked_of_students(check.function))
    except SourceError:  # a helper of it cannot be read: it may ask for anything
        return set(known)
    for constant in check.function.__code__.co_consts:
        asked |= {text for text in (constant, *_items(constant)) if isinstance(text, str)}
    return asked & known


def _items(constant: object) -> tuple[object, ...]:
    return constant if isinstance(constant, tuple) else ()


def _limits(oracle: Oracle, asking: Container[str]) -> Mapping[tuple[str, str], float]:
    """Return how long each case may take that scores and that the reference passes."""
    found = {}
    for check in oracle.checks.values():
        if check.name not in asking:
            continue
        for case in check.cases:
            student = InProcessSession(dict(oracle.namespace))
            result = run_one(oracle, check, case, student, SECRET, 600.0)
            if result.verdict is Verdict.PASSED:
                found[check.name, case.name] = max(CASE_SECONDS, SLOWER * result.seconds)
    return found
