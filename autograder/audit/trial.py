"""Trials: does a mutant differ from the reference on anything at all?

A mutant that passes every check is either as right as the reference or a gap in the checks. A trial
goes far beyond the cases: the arguments that the checks pass are varied, and the checks are run
under further secrets.
"""

import copy
import inspect
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np

from autograder.audit.mutants import Mutant, Site
from autograder.audit.variations import scaled, varied_call, varied_parameters
from autograder.authoring.arrays import NUMERIC, is_array, to_numpy
from autograder.authoring.assertions import assert_close
from autograder.authoring.checks import Case, Check, case_rng
from autograder.errors import CheckFailure
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import Oracle
from autograder.grading.results import CaseResult, Verdict
from autograder.grading.watchdog import watchdog
from autograder.sandbox.messages import InProcessSession

__all__ = ["Trial", "run_one"]

INPUTS = 200  # of each function
TRIES = 3 * INPUTS
FEW = 20  # inputs that say too little
CALLS = 3  # of each case that are kept
SECRETS = 20
CALL_SECONDS = 1.0


def run_one(
    oracle: Oracle,
    check: Check,
    case: Case,
    namespace: dict[str, Any],
    secret: bytes,
    seconds: float,
) -> CaseResult:
    """Run a case with a namespace in the student's place."""
    student, reference = InProcessSession(namespace), ReferenceSession(oracle.namespace)

    def rng() -> np.random.Generator:
        return case_rng(secret, oracle.assignment, check.name, case.name)

    return run_case(check, case, student, reference, rng, seconds=seconds)


@dataclass(frozen=True)
class _Call:
    """A call of a function that is asked for, and the reference's outcome."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    want: Any = None

    def __str__(self) -> str:
        parts = [_summary(a) for a in self.args]
        parts += [f"{key}={_summary(value)}" for key, value in self.kwargs.items()]
        return f"{self.name}({', '.join(parts)})"


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
        for call in self._calls:
            if self._differs(namespace[call.name], call):
                return str(call)
        for run in self._runs:
            if not self._passes(run, namespace):
                return str(run)
        return None

    @cached_property
    def _calls(self) -> list[_Call]:
        """Calls that the reference answers by finite values, some as the checks make them."""
        rng = np.random.default_rng(self._seed)
        seen = [call for check in self._checks for call in self._made_by(check)]
        found: list[_Call] = []
        for i in range(TRIES if seen else 0):
            call = seen[i % len(seen)]
            if i >= len(seen):
                function = self._oracle.namespace[call.name]
                args, kwargs = varied_call(function, call.args, call.kwargs, rng)
                call = _Call(call.name, args, kwargs)
            outcome = self._outcome(self._oracle.namespace[call.name], call)
            if outcome is not None and _is_finite(outcome):
                found.append(replace(call, want=outcome))
            if len(found) == INPUTS:
                break
        return found

    def _made_by(self, check: Check) -> Iterator[_Call]:
        """Give some calls that a check makes of functions of the site."""
        for case in check.cases:
            made: list[_Call] = []
            names = {n: self._oracle.namespace[n] for n in self._site.names}
            watched = {
                n: _watched(n, f, made) for n, f in names.items() if isinstance(f, FunctionType)
            }
            if watched:
                namespace = {**self._oracle.namespace, **watched}
                self._run(check, case, namespace, b"trial")
            yield from made

    def _outcome(self, function: Callable[..., Any], call: _Call) -> Any:
        """Return what a call returns and does, None if it raises."""
        self.tell(CALL_SECONDS)
        try:
            args, kwargs = copy.deepcopy((call.args, call.kwargs))
            InProcessSession({}).seed(self._seed)
            with watchdog(CALL_SECONDS), np.errstate(all="ignore"):
                value = function(*args, **kwargs)
                slopes = _slopes(value, (args, kwargs))
        except BaseException:  # SystemExit too
            return None
        return [value, slopes, [args, kwargs] if self._pure else []]

    def _differs(self, function: Callable[..., Any], call: _Call) -> bool:
        got = self._outcome(function, call)
        if _agree(got, call.want):
            return False
        # Where rounding decides, the reference does not agree with itself either.
        reference = self._oracle.namespace[call.name]
        for factor in (1, -1):
            near = replace(call, args=scaled(call.args, factor), kwargs=scaled(call.kwargs, factor))
            if _agree(self._outcome(reference, near), call.want):
                return True
        return False

    @cached_property
    def _runs(self) -> list[_Run]:
        """Cases under further secrets; with other parameters too, where calls say too little."""
        rng = np.random.default_rng(self._seed)
        found = []
        for number in range(SECRETS):
            secret = f"trial {number}".encode()
            for check in self._checks:
                if number >= _rounds(self._limits[check.name]):
                    continue
                runs = [_Run(check, case, secret, False) for case in check.cases]
                if len(self._calls) < FEW:
                    runs += [replace(r, case=_varied(r.case, rng), varied=True) for r in runs]
                found += [run for run in runs if self._passes(run, self._oracle.namespace)]
        return found

    def _passes(self, run: _Run, namespace: dict[str, Any]) -> bool:
        result = self._run(run.check, run.case, dict(namespace), run.secret)
        return result.verdict is Verdict.PASSED

    def _run(
        self, check: Check, case: Case, namespace: dict[str, Any], secret: bytes
    ) -> CaseResult:
        limit = self._limits[check.name]
        self.tell(limit)
        return run_one(self._oracle, check, case, namespace, secret, limit)


def _rounds(limit: float) -> int:
    """Return how many secrets a check is run under; fewer where it takes long."""
    return SECRETS if limit <= 2 else 5 if limit <= 5 else 2


def _varied(case: Case, rng: np.random.Generator) -> Case:
    return replace(case, parameters=varied_parameters(case.parameters, rng))


def _watched(name: str, function: FunctionType, made: list[_Call]) -> Callable[..., Any]:
    """Return a function that keeps its first calls."""

    def watched(*args: Any, **kwargs: Any) -> Any:
        if len(made) < CALLS:
            try:
                made.append(_Call(name, *copy.deepcopy((args, kwargs))))
            except Exception:  # an object that cannot be copied
                made.clear()
        return function(*args, **kwargs)

    watched.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return watched


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _slopes(value: Any, arguments: Any) -> list[Any]:
    """Return the gradients of the sum of what is returned, by each argument that has one."""
    sums = [leaf.sum() for leaf in _leaves(value) if getattr(leaf, "requires_grad", False)]
    by = [leaf for leaf in _leaves(arguments) if getattr(leaf, "requires_grad", False)]
    if not (sums and by):
        return [len(sums)]
    import torch

    gradients = torch.autograd.grad(sums, by, allow_unused=True)
    return [len(sums), *gradients]


def _is_finite(value: Any) -> bool:
    """Return whether a nest holds plain values only, and no number in it is infinite or NaN."""
    return all(_is_finite_leaf(leaf) for leaf in _leaves(value))


def _is_finite_leaf(leaf: Any) -> bool:
    if is_array(leaf):
        numbers = to_numpy(leaf)
        return numbers.dtype.kind in NUMERIC and bool(np.isfinite(numbers).all())
    if isinstance(leaf, (float, complex)):
        return bool(np.isfinite(leaf))
    return leaf is None or isinstance(leaf, (bool, int, str, bytes))


def _agree(got: Any, want: Any) -> bool:
    if got is None or not isinstance(got, list):
        return False
    try:
        assert_close(got, want)
    except CheckFailure:
        return False
    except Exception:  # a value that nothing can be said of
        return False
    return True


def _summary(value: Any) -> str:
    if is_array(value) and getattr(value, "shape", ()) != ():
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_summary(v) for v in value[:4])}]"
    text = f"{value:.3g}" if isinstance(value, float) else repr(value)
    return text[:60]
