"""What a check must be: refusals of what an author wrote, one sentence each."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.authoring.domains import Domain
from autograder.errors import SourceError

__all__ = ["given_names", "is_number", "require_fit", "require_names"]

_OWN_PARAMETERS = ("student", "reference", "rng")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number, as a float can hold it; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max


def given_names(where: str, question: str, given: object) -> tuple[str, ...]:
    """Return the names of functions that are given to a check, each once."""
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


def require_fit(
    where: str,
    function: Callable[..., None],
    written: Mapping[str, Mapping[str, Any]],
    promised: Domain | None,
) -> None:
    """Refuse cases, and a domain, whose parameters are not those of the function."""
    signature = inspect.signature(function)
    if tuple(signature.parameters)[:3] != _OWN_PARAMETERS:
        raise SourceError(
            f"{where}: its parameters must be ({', '.join(_OWN_PARAMETERS)}, …), got {signature}"
        )
    for name, parameters in written.items():
        _require_bound(f"{where}: the parameters of case {name!r}", signature, parameters)
    if promised is not None:
        subject = f"{where}: the arguments of its domain"
        _require_bound(subject, signature, promised.parts)
        always = {name: p for name, p in promised.parts.items() if not promised.may_omit(name)}
        _require_bound(f"{subject} that are never left out", signature, always)


def _require_bound(
    subject: str, signature: inspect.Signature, parameters: Mapping[str, Any]
) -> None:
    try:
        signature.bind(None, None, None, **parameters)
    except TypeError as error:
        raise SourceError(f"{subject} must be those of the function: {error}") from None


def require_names(where: str, names: Sequence[str]) -> None:
    """Refuse cases of one name."""
    for name in names:
        if names.count(name) > 1:
            raise SourceError(f"{where}: two cases are named {name!r}; rename one")
