"""The commonest check, in one statement: the same as the reference for all inputs."""

import linecache
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from autograder.authoring.assertions import assert_close, assert_dtype
from autograder.authoring.checks import Check, check, domain
from autograder.authoring.domains import Part
from autograder.errors import CheckFailure, SourceError

__all__ = ["matches_reference"]

_TEXT = """def make(agree, positional):
    def {name}(student, reference, rng, **inputs):
        {said!r}
        agree(student.{function}, reference.{function}, positional, inputs)

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
    **arguments: Part,
) -> Check:
    """Check that a function answers as the reference does, for all inputs that are promised.

    The arguments are drawn from what is promised of them. Both functions are called, arrays by
    their place and numbers and choices by their name, and each part of the answer is compared:
    shape, then values, and where that is asked the dtype. The statement stands at the top of a
    check cell, and its name is that of the check::

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
        sizes: the least and the greatest length of axes that arrays name.
        where: which sizes, choices and whole numbers fit together.
        pure: whether changing an argument in place is a failure.
        all_or_nothing: as for `check`, like all that follow.
        device: on which it runs.
        seconds: the limit on one call.
        hint: for hidden cases.
        given: functions of earlier questions.
        precision: ``any`` or ``strict``.
        reveal: whether a student reads the smallest input with which a hidden case still fails.
        arguments: what is promised of each argument, in the order of the call.

    Raises:
        SourceError: an argument is no part of a domain, or does not fit.
    """
    function = function or question
    name = name or f"{function}_matches_reference"
    for word, what in ((function, "function"), (name, "name")):
        if not (isinstance(word, str) and word.isidentifier()):
            raise SourceError(f"matches_reference: {what} must be a Python name, got {word!r}")
    parts = (returns,) if isinstance(returns, str) else tuple(returns)

    def agree(
        student: Any, reference: Any, positional: Sequence[str], inputs: dict[str, Any]
    ) -> None:
        args = [inputs[key] for key in positional if key in inputs]
        named = {key: value for key, value in inputs.items() if key not in positional}
        got, want = student(*args, **named), reference(*args, **named)
        for what, one, other in _pairs(got, want, parts, function):
            assert_close(one, other, rtol=rtol, atol=atol, what=what)
            if dtype:
                assert_dtype(one, other, what=what)

    said = said or f"{function} answers as ours does, for all inputs that are promised."
    text = _TEXT.format(name=name, function=function, said=said)
    positional = tuple(key for key, part in arguments.items() if getattr(part, "positional", 0))
    made = _made(text, name, agree, positional, sys._getframe(1).f_globals)
    domain(visible=visible, sizes=sizes, where=where, **arguments)(made)
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


def _pairs(got: Any, want: Any, parts: Sequence[str], function: str) -> list[tuple[str, Any, Any]]:
    """Return each part of an answer with the reference's, and what it is called."""
    if len(parts) < 2:
        return [(parts[0] if parts else function, got, want)]
    whole = f"({', '.join(parts)})"
    if not isinstance(got, (tuple, list)) or len(got) != len(parts):
        assert_close(got, want, what=whole)  # says what came instead
        raise CheckFailure(f"expected {len(parts)} parts", whole)
    return list(zip(parts, got, want, strict=True))


def _made(
    text: str,
    name: str,
    agree: Callable[..., None],
    positional: Sequence[str],
    notebook: dict[str, Any],
) -> FunctionType:
    """Return the function that a text makes, as one of the notebook.

    As for a function that is written there, its text can be read, and its globals are the names of
    the notebook: that is where a self-check finds the student's.
    """
    file = f"<{name} {zlib.crc32(text.encode()):08x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    there: dict[str, Any] = {}
    exec(compile(text, file, "exec"), there)
    made = there["make"](agree, positional)
    function = FunctionType(made.__code__, notebook, name, None, made.__closure__)
    function.__doc__, function.__module__ = made.__doc__, notebook.get("__name__", "")
    return function
