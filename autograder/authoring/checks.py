"""Checks: functions that call a student's code and the reference, and raise on a difference."""

import copy
import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from autograder.authoring.array_parts import resolved
from autograder.authoring.domains import Domain
from autograder.authoring.draws import few, pool, shown
from autograder.authoring.factors import Part
from autograder.authoring.required import given_names, is_number, require_fit, require_names
from autograder.errors import SourceError

__all__ = ["Case", "Check", "case", "case_rng", "check", "domain", "with_domain"]

T = TypeVar("T")
CheckFunction = Callable[..., None]

DEVICES = ("any", "cpu", "cuda")
PRECISIONS = ("any", "strict", "tf32")
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
        points: shared equally by the cases, unless ``all_or_nothing``; none for what fails the
            `typical` case.
        written: the cases that are written out.
        pure: a call that changes an argument in place fails.
        device: ``any`` runs where the run runs; ``cuda`` is pending without a GPU.
        seconds: the limit on one call of the student's code; None is the course's.
        hint: what a student reads when a hidden case fails.
        given: functions of earlier questions; a case that fails is run again with the
            reference's in place of the student's own.
        precision: ``any`` takes a right answer in single precision where the audit finds room for
            it; ``strict`` grades precision; ``tf32`` lets a GPU multiply in TF32.
        domain: the inputs that its prompt promises, if it says so.
        draws: the kinds of hidden cases that the audit has added.
        reveal: whether a student reads the smallest input with which a hidden case still fails.
    """

    function: CheckFunction
    question: str
    points: float
    written: tuple[Case, ...]
    all_or_nothing: bool = False
    pure: bool = False
    device: str = "any"
    seconds: float | None = None
    hint: str | None = None
    given: tuple[str, ...] = ()
    precision: str = "any"
    domain: Domain | None = None
    reveal: bool = False
    draws: tuple[Mapping[str, str], ...] = ()

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The cases, those that are drawn last; a session that runs none of them draws none.

        Raises:
            SourceError: two have one name, or ``where`` cannot be asked.
        """
        found = self.written
        if (promised := self.domain) is not None:
            try:
                found += _drawn(promised, shown(promised), False)
                found += _drawn(promised, [*few(promised), *self.draws], True)
            except SourceError as error:
                raise SourceError(f"check {self.name}: {error}") from None
        require_names(f"check {self.name}", [c.name for c in found])
        return found

    @property
    def name(self) -> str:
        """The name of the check function, unique in its assignment."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """The first line of the docstring: what the student reads."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def typical(self) -> str | None:
        """The case that draws typical inputs. What fails it has none of the points.

        The other draws are edges, and a wrong answer may be right there: along a gradient of zeros
        any optimizer stands still.
        """
        if (promised := self.domain) is None:
            return None
        drawn = (c.name for c in self.cases if c.is_drawn and c.kinds == promised.typical)
        return next(drawn, None)

    def inputs(self, case: str) -> dict[str, Any]:
        """Return the arguments of the first call that a visible case makes, by parameter.

        They are those with which `self_check` runs the case in this notebook; grading draws
        others. Nothing of the notebook is run::

            sgd_step(**sgd_step_matches_reference.inputs("typical inputs"))

        Raises:
            UsageError: there is no such case here, or it calls no function; says what there is.
        """
        # By its name, as it is of a layer above: a check needs it here alone, in a notebook.
        at_home = importlib.import_module("autograder.student.inputs")
        found: dict[str, Any] = at_home.inputs_of(self, case)
        return found

    def pool(self) -> list[Case]:
        """Return hidden cases in which each pair of kinds is drawn together."""
        known = {c.name for c in self.cases}
        drawn = _drawn(self.domain, pool(self.domain), True) if self.domain else ()
        return [c for c in drawn if c.name not in known]

    def only(self, cases: Iterable[Case]) -> "Check":
        """Return the check with some cases in place of its own."""
        return replace(self, written=tuple(cases), domain=None, draws=())

    def with_draws(self, draws: Iterable[Mapping[str, str]]) -> "Check":
        """Return the check with further hidden cases, of some kinds each.

        Raises:
            SourceError: one is not of its domain.
        """
        if self.domain is None:
            return self
        more = tuple(draws)
        for kinds in more:
            try:
                self.domain.require_known(kinds)
            except SourceError as error:
                raise SourceError(f"check {self.name}: {error}") from None
        return replace(self, draws=(*self.draws, *more))


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
        if not (is_number(points) and points >= 0):
            raise SourceError(f"{where}: points must be a number, 0 or more, got {points!r}")
        if device not in DEVICES:
            raise SourceError(
                f"{where}: device must be one of {', '.join(DEVICES)}, got {device!r}"
            )
        if precision not in PRECISIONS:
            raise SourceError(
                f"{where}: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
            )
        if seconds is not None and not (is_number(seconds) and seconds > 0):
            raise SourceError(f"{where}: seconds must be a number above 0, got {seconds!r}")
        if not isinstance(reveal, bool):
            raise SourceError(f"{where}: reveal must be True or False, got {reveal!r}")
        names = given_names(where, question, given)
        promised: Domain | None = getattr(function, _DOMAIN, None)
        written: tuple[Case, ...] = tuple(getattr(function, _CASES, ()))
        if not written and promised is None:
            raise SourceError(
                f"{where}: there must be at least one case; add @case('a name', …) or @domain(…) "
                "below @check"
            )
        require_names(where, [c.name for c in written])
        require_fit(where, function, {c.name: c.parameters for c in written}, promised)
        if promised is not None:
            promised = replace(promised, pure=pure)
        return Check(
            function,
            question,
            float(points),
            written,
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

    options = {"visible": visible, "sizes": sizes, "where": where}
    for option in (name for name, value in options.items() if isinstance(value, Part)):
        raise SourceError(f"@domain: {option} is an option; rename the check's parameter")

    def decorate(function: T) -> T:
        if isinstance(function, Check):
            raise SourceError(f"check {function.name}: @domain must stand below @check")
        if not isinstance(function, FunctionType):
            raise SourceError(f"@domain must stand above a function, got {function!r}")
        with_domain(function, parts, sizes, where, visible)
        return function

    return decorate


def with_domain(
    function: FunctionType,
    parts: Mapping[str, Any],
    sizes: Mapping[str, tuple[int, int]] | None,
    where: Callable[..., bool] | None,
    visible: int,
) -> None:
    """Mark a function with its domain; see `domain`."""
    if hasattr(function, _DOMAIN):
        raise SourceError(f"check {function.__name__}: it has two domains; join them")
    try:
        made = Domain(resolved(parts), {} if sizes is None else sizes, where, visible)
    except SourceError as error:
        raise SourceError(f"check {function.__name__}: {error}") from None
    setattr(function, _DOMAIN, made)


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
    return np.random.default_rng(_seed(*parts))


@lru_cache(maxsize=4096)  # an audit draws the same inputs over and over
def _seed(*parts: bytes) -> int:
    digest = hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).digest()
    return int.from_bytes(digest, "big")
