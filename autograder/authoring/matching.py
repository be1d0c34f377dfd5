"""The commonest check, in one statement: the same as the reference for all inputs."""

import keyword
import linecache
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from types import FunctionType
from typing import Any

from autograder.authoring.array_parts import resolved
from autograder.authoring.arrays import is_array
from autograder.authoring.assertions import assert_close, assert_dtype
from autograder.authoring.checks import Check, check, with_domain
from autograder.authoring.factors import Part
from autograder.authoring.phrases import a
from autograder.errors import CheckFailure, SourceError

__all__ = ["matches_reference"]

_TEXT = """def make(agree):
    def {name}(student, reference, rng, /, **inputs):
        {said!r}
        agree(student.{function}, reference.{function}, inputs)

    return {name}
"""


def matches_reference(
    question: str,
    *,
    points: float,
    function: str | None = None,
    name: str | None = None,
    returns: str | Sequence[str] = (),
    said: str | None = None,
    dtype: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    visible: int = 2,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    where: Callable[..., bool] | None = None,
    pure: bool = True,
    all_or_nothing: bool = False,
    device: str = "any",
    seconds: float | None = None,
    hint: str | None = None,
    given: Sequence[str] = (),
    precision: str = "any",
    reveal: bool = False,
    arguments: Mapping[str, Part] | None = None,
    **parts: Part,
) -> Check:
    """Check that a function answers as the reference does, for all inputs that are promised.

    The arguments are drawn from what is promised of them. Both functions are called: the arrays
    that come first by their place, all other arguments by their name. Each part of the answer is
    compared: shape, then values, and where that is asked the dtype. The statement stands at the
    top of a check cell, and its name is that of the check::

        sgd_step_matches_reference = matches_reference(
            "sgd_step", points=4, w=arrays(), grad=like("w"), lr=interval(0.01, 1)
        )

    Args:
        question: the id of the question.
        points: what it is worth.
        function: that is called; the question's name without it.
        name: of the check; without it ``<function>_matches_reference``.
        returns: what the answer, or each part of it in order, is called in messages.
        said: the sentence that a student reads of it.
        dtype: whether the answer must have the reference's dtype.
        rtol: relative tolerance; None is the default.
        atol: absolute tolerance; likewise.
        visible: how many draws a release shows, up to 2.
        sizes: the least and the greatest length of axes that arrays name; others are 1 to 5.
        where: which sizes, choices and whole numbers fit together.
        pure: whether changing an argument in place is a failure.
        all_or_nothing: as for `check`, like all that follow.
        device: on which it runs.
        seconds: the limit on one call.
        hint: for hidden cases.
        given: functions of earlier questions.
        precision: ``any``, ``strict`` or ``tf32``.
        reveal: whether a student reads the smallest input with which a hidden case still fails.
        arguments: what is promised of each argument, in the order of the call, as a dict: where
            one is named like an option above.
        parts: the same, as keywords.

    Raises:
        SourceError: an argument is no part of a domain, or does not fit.
    """
    clashing = [option for option, value in locals().items() if isinstance(value, Part)]
    promised = _arguments(f"matches_reference({question!r})", clashing, arguments, parts)
    function = _name("function", question if function is None else function)
    name = _name("name", f"{function}_matches_reference" if name is None else name)
    called = (returns,) if isinstance(returns, str) else returns
    if not isinstance(called, (tuple, list)) or not all(isinstance(p, str) and p for p in called):
        raise SourceError(f"{name}: returns must be a name or a list of names, got {returns!r}")
    positional = [*takewhile(lambda key: promised[key].positional, promised)]

    def agree(student: Any, reference: Any, inputs: dict[str, Any]) -> None:
        first = [*takewhile(inputs.__contains__, positional)]
        args = [inputs[key] for key in first]
        named = {key: value for key, value in inputs.items() if key not in first}
        got, want = student(*args, **named), reference(*args, **named)
        for what, one, other in _pairs(got, want, called, function):
            assert_close(one, other, rtol=rtol, atol=atol, what=what)
            if dtype:
                _assert_dtypes(one, other, what)

    said = said or f"{function} answers as ours does, for all inputs that are promised."
    text = _TEXT.format(name=name, function=function, said=" ".join(said.split()))
    made = _made(text, name, agree, sys._getframe(1).f_globals)
    with_domain(made, promised, sizes, where, visible)
    return check(
        question,
        points=points,
        all_or_nothing=all_or_nothing,
        pure=pure,
        device=device,
        seconds=seconds,
        hint=hint,
        given=given,
        precision=precision,
        reveal=reveal,
    )(made)


def _arguments(
    where: str,
    clashing: Sequence[str],
    arguments: Mapping[str, Part] | None,
    parts: Mapping[str, Part],
) -> dict[str, Part]:
    """Return what is promised of each argument, which may be written in two ways."""
    for option in clashing:
        raise SourceError(
            f"{where}: {option} is an option; where an argument has that name, write all of "
            f"them as arguments={{{option!r}: …}}"
        )
    if arguments is not None and (parts or not isinstance(arguments, Mapping)):
        raise SourceError(
            f"{where}: arguments must be a dict of all arguments, with none beside it, got "
            f"{a(type(arguments).__name__)} and beside it {', '.join(parts) or 'none'}"
        )
    promised = parts if arguments is None else arguments
    for key in promised:
        _name("the name of an argument", key)
    try:
        return resolved(promised)
    except SourceError as error:
        raise SourceError(f"{where}: {error}") from None


def _name(what: str, word: object) -> str:
    if not isinstance(word, str) or not word.isidentifier() or keyword.iskeyword(word):
        raise SourceError(f"matches_reference: {what} must be a Python name, got {word!r}")
    return word


def _pairs(got: Any, want: Any, parts: Sequence[str], function: str) -> list[tuple[str, Any, Any]]:
    """Return each part of an answer with the reference's, and what it is called."""
    if len(parts) < 2:
        return [(parts[0] if parts else function, got, want)]
    whole = f"({', '.join(parts)})"
    if not isinstance(want, (tuple, list)) or len(want) != len(parts):
        raise TypeError(f"the reference must return {whole}, as returns= says, got {want!r}")
    if not isinstance(got, (tuple, list)) or len(got) != len(parts):
        assert_close(got, want, what=whole)  # says what came instead
        raise CheckFailure(f"expected {len(parts)} parts", whole)
    return list(zip(parts, got, want, strict=True))


def _assert_dtypes(got: Any, want: Any, what: str) -> None:
    """Require the dtype of each array in an answer, which has the form of the reference's."""
    if isinstance(want, dict):
        for key in want:
            _assert_dtypes(got[key], want[key], f"{what}[{key!r}]")
    elif isinstance(want, (tuple, list)):
        for i, (one, other) in enumerate(zip(got, want, strict=True)):
            _assert_dtypes(one, other, f"{what}[{i}]")
    elif is_array(want):
        assert_dtype(got, want, what=what)


def _made(
    text: str, name: str, agree: Callable[..., None], notebook: dict[str, Any]
) -> FunctionType:
    """Return the function that a text makes, as one of the notebook.

    As for a function that is written there, its text can be read, and its globals are the names of
    the notebook: that is where a self-check finds the student's.
    """
    file = f"<{name} {zlib.crc32(text.encode()):08x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    there: dict[str, Any] = {}
    exec(compile(text, file, "exec"), there)
    made = there["make"](agree)
    function = FunctionType(made.__code__, notebook, name, None, made.__closure__)
    function.__doc__, function.__module__ = made.__doc__, notebook.get("__name__", "")
    return function
