"""Checks: functions that call a student's code and the reference, and raise on a difference."""

import copy
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from autograder.authoring.domains import Domain, Part
from autograder.authoring.draws import few, pool, shown
from autograder.authoring.parts import resolved
from autograder.errors import SourceError

__all__ = ["Case", "Check", "case", "case_rng", "check", "domain"]

T = TypeVar("T")
CheckFunction = Callable[..., None]

DEVICES = ("any", "cpu", "cuda")
PRECISIONS = ("any", "strict")
_OWN_PARAMETERS = ("student", "reference", "rng")
_CASES, _DOMAIN = "_autograder_cases", "_autograder_domain"


@dataclass(frozen=True)
class Case:
    """One named set of inputs to a check; a hidden one never leaves the bundle.

    Attributes:
        name: unique in its check.
        parameters: as they are written; empty where they are drawn.
        hidden: whether only grading runs it.
        domain: from which the parameters are drawn, if they are.
        kinds: of which they are drawn, by factor.
    """

    name: str
    parameters: dict[str, Any]
    hidden: bool = False
    domain: Domain | None = None
    kinds: Mapping[str, str] | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether its parameters are drawn from a domain."""
        return self.domain is not None

    def arguments(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters, which whoever gets them may change."""
        if self.domain is not None:
            return self.domain.draw(self.kinds or {}, rng)
        return copy.deepcopy(self.parameters)


@dataclass(frozen=True, eq=False)
class Check:
    """A check function with its question, points and cases.

    Attributes:
        question: the id of the question whose points it carries.
        points: shared equally by the cases, unless ``all_or_nothing``.
        pure: a call that changes an argument in place fails.
        device: ``any`` runs where the run runs; ``cuda`` is pending without a GPU.
        seconds: the limit on one call of the student's code; None is the course's.
        hint: what a student reads when a hidden case fails.
        given: functions of earlier questions; a case that fails is run again with the
            reference's in place of the student's own.
        precision: ``any`` takes a right answer in single precision where the audit finds room for
            it; ``strict`` grades precision.
        domain: the inputs that its prompt promises, if it says so.
        reveal: whether a student reads the smallest input with which a hidden case still fails.
    """

    function: CheckFunction
    question: str
    points: float
    cases: tuple[Case, ...]
    all_or_nothing: bool = False
    pure: bool = False
    device: str = "any"
    seconds: float | None = None
    hint: str | None = None
    given: tuple[str, ...] = ()
    precision: str = "any"
    domain: Domain | None = None
    reveal: bool = False

    @property
    def name(self) -> str:
        """The name of the check function, unique in its assignment."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """The first line of the docstring: what the student reads."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def pool(self) -> list[Case]:
        """Return hidden cases in which each pair of kinds is drawn together."""
        known = {c.name for c in self.cases}
        drawn = _drawn(self.domain, pool(self.domain), True) if self.domain else ()
        return [c for c in drawn if c.name not in known]

    def with_draws(self, draws: Iterable[Mapping[str, str]]) -> "Check":
        """Return the check with further hidden cases, of some kinds each, but those that it has."""
        if self.domain is None:
            return self
        known = {c.name for c in self.cases}
        new = (c for c in _drawn(self.domain, draws, True) if c.name not in known)
        return replace(self, cases=(*self.cases, *new))


def check(
    question: str,
    *,
    points: float,
    all_or_nothing: bool = False,
    pure: bool = False,
    device: str = "any",
    seconds: float | None = None,
    hint: str | None = None,
    given: Sequence[str] = (),
    precision: str = "any",
    reveal: bool = False,
) -> Callable[[CheckFunction], Check]:
    """Mark a function ``(student, reference, rng, **parameters)`` as a check of a question.

    The options are those of `Check`.

    Raises:
        SourceError: the points are no number, there is no case, or a case does not fit.
    """

    def decorate(function: CheckFunction) -> Check:
        where = f"check {function.__name__}"
        if not isinstance(question, str) or not question.isidentifier():
            raise SourceError(
                f"{where}: question must be a Python name, such as 'sgd_step', got {question!r}"
            )
        if not (_is_number(points) and points >= 0):
            raise SourceError(f"{where}: points must be a number, 0 or more, got {points!r}")
        if device not in DEVICES:
            raise SourceError(
                f"{where}: device must be one of {', '.join(DEVICES)}, got {device!r}"
            )
        if precision not in PRECISIONS:
            raise SourceError(
                f"{where}: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
            )
        if seconds is not None and not (_is_number(seconds) and seconds > 0):
            raise SourceError(f"{where}: seconds must be a number above 0, got {seconds!r}")
        if not isinstance(reveal, bool):
            raise SourceError(f"{where}: reveal must be True or False, got {reveal!r}")
        names = _given_names(where, question, given)
        promised: Domain | None = getattr(function, _DOMAIN, None)
        cases: tuple[Case, ...] = tuple(getattr(function, _CASES, ()))
        if promised is not None:
            promised = replace(promised, pure=pure)
            try:
                cases += _drawn(promised, shown(promised), False)
                cases += _drawn(promised, few(promised), True)
            except SourceError as error:
                raise SourceError(f"{where}: {error}") from None
        if not cases:
            raise SourceError(
                f"{where}: there must be at least one case; add @case('a name', …) or @domain(…) "
                "below @check"
            )
        _require_fit(where, function, cases)
        return Check(
            function,
            question,
            float(points),
            cases,
            all_or_nothing,
            pure,
            device,
            seconds,
            hint,
            names,
            precision,
            promised,
            reveal=reveal,
        )

    return decorate


def domain(
    *,
    visible: int = 2,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    where: Callable[..., bool] | None = None,
    **parts: Part,
) -> Callable[[T], T]:
    """State below ``@check`` which inputs the prompt promises: cases are drawn from them.

    Args:
        visible: how many draws a release shows, up to 2.
        sizes: the least and the greatest length of axes that parts name; others are 1 to 5.
        where: which sizes, choices and whole numbers fit together: a function of some of them.
        parts: what is promised of each parameter of the check, in the order of its function.

    Raises:
        SourceError: a part is none, or does not fit.
    """

    def decorate(function: T) -> T:
        if isinstance(function, Check):
            raise SourceError(f"check {function.name}: @domain must stand below @check")
        if hasattr(function, _DOMAIN):
            raise SourceError("a check must have one domain, and this one has two; join them")
        setattr(function, _DOMAIN, Domain(resolved(parts), sizes or {}, where, visible))
        return function

    return decorate


def _drawn(promised: Domain, draws: Iterable[Mapping[str, str]], hidden: bool) -> tuple[Case, ...]:
    return tuple(Case(promised.name_of(kinds), {}, hidden, promised, kinds) for kinds in draws)


def case(name: str, /, *, hidden: bool = False, **parameters: Any) -> Callable[[T], T]:
    """Add a case below ``@check``: its keywords are passed to the check function."""

    def decorate(function: T) -> T:
        if not isinstance(name, str) or not name.strip():
            raise SourceError(f"the name of a case must be a text that is not empty, got {name!r}")
        if isinstance(function, Check):
            raise SourceError(f"check {function.name}: case {name!r} must stand below @check")
        former: tuple[Case, ...] = getattr(function, _CASES, ())
        setattr(function, _CASES, (Case(name, parameters, hidden), *former))
        return function

    return decorate


def case_rng(
    secret: bytes, assignment: str, check: str, case: str, submission: str = "", tries: int = 0
) -> np.random.Generator:
    """Return the generator of a case's inputs.

    At grading no two submissions have the same inputs, so that nothing that one leaves behind helps
    another; nor have two tries at one, so that nobody gains by breaking the first.

    Args:
        secret: the course's secret at grading; empty in a release.
        assignment: its name.
        check: its name.
        case: its name.
        submission: whose inputs these are (see `autograder.grading.runner.drawn_for`); empty where
            they are nobody's: in a release, and in the audit.
        tries: how many tries at grading that submission have broken before.
    """
    parts = [secret, *(name.encode() for name in (assignment, check, case))]
    if submission:
        parts += [submission.encode(errors="surrogateescape"), str(tries).encode()]
    digest = hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _is_number(value: object) -> bool:
    """Return whether a value is a finite number, as a float can hold it; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max


def _given_names(where: str, question: str, given: object) -> tuple[str, ...]:
    names = given if isinstance(given, (list, tuple)) else (None,)
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise SourceError(
            f"{where}: given must be a list of names of functions, such as ['sgd_step'], got"
            f" {given!r}"
        )
    if question in names:
        raise SourceError(
            f"{where}: given must not name {question!r}, the question that this check tests;"
            " remove it"
        )
    return tuple(dict.fromkeys(names))


def _require_fit(where: str, function: CheckFunction, cases: tuple[Case, ...]) -> None:
    signature = inspect.signature(function)
    if tuple(signature.parameters)[:3] != _OWN_PARAMETERS:
        raise SourceError(
            f"{where}: its parameters must be ({', '.join(_OWN_PARAMETERS)}, …), got {signature}"
        )
    names = [c.name for c in cases]
    for c in cases:
        if names.count(c.name) > 1:
            raise SourceError(f"{where}: two cases are named {c.name!r}; rename one")
        parameters = c.parameters if c.domain is None else c.domain.parts
        try:
            signature.bind(None, None, None, **parameters)
        except TypeError as error:
            raise SourceError(
                f"{where}: the parameters of case {c.name!r} must be those of the function: {error}"
            ) from None
