"""Rich values: sets, ranges, generators, any dicts and pandas' tables cross a session as copies.

A check that was written for another grader may ask for them. In a check of one's own, return arrays
and lists: they are compared within tolerances, and the audit tries more on them.
"""

from typing import Any

from autograder.authoring.subject import Helper, Proxy, Subject
from autograder.errors import CheckFailure

__all__ = ["RichSubject", "rich_values"]


# A session runs the text of this function alone: all that it needs stands inside it, and no
# annotation is more than a text.
def crossed(notebook: "Any", name: "str", arguments: "Any" = None) -> "Any":
    """Return a value of the notebook, or what a function answers, as plain values with tags.

    Args:
        notebook: what runs beside it.
        name: of the value or of the function.
        arguments: packed, a tuple and a dict; None asks for the value itself.
    """
    import importlib
    import itertools
    import sys
    import types

    import numpy

    def packed(value: "Any") -> "Any":
        pandas = sys.modules.get("pandas")
        if isinstance(value, (set, frozenset)):
            return {"set": [packed(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[packed(key), packed(item)] for key, item in value.items()]}
        if isinstance(value, (types.GeneratorType, map, filter, zip)):
            items = list(itertools.islice(value, 1001))  # it may be endless
            return {"items": [packed(item) for item in items]}
        if isinstance(value, range):
            return {"range": [value.start, value.stop, value.step]}
        if isinstance(value, (list, tuple)):
            return type(value)(packed(item) for item in value)
        if isinstance(value, numpy.ndarray) and value.dtype.kind in "OUS":
            kind = "objects" if value.dtype.kind == "O" else "texts"
            return {kind: packed(value.tolist())}
        if pandas is not None and isinstance(value, pandas.DataFrame):
            columns = [packed(value.iloc[:, n]) for n in range(value.shape[1])]
            return {"table": [packed(value.columns), packed(value.index), columns]}
        if pandas is not None and isinstance(value, pandas.Series):
            own = [packed(value.to_numpy()), packed(value.index), packed(value.name)]
            return {"series": own}
        if pandas is not None and isinstance(value, pandas.Index):
            return {"index": [packed(value.to_numpy()), packed(value.name)]}
        return value

    def unpacked(value: "Any") -> "Any":
        if isinstance(value, (list, tuple)):
            return type(value)(unpacked(item) for item in value)
        if not isinstance(value, dict):
            return value
        ((tag, inside),) = value.items()
        if tag == "range":
            return range(*inside)
        if tag == "dict":
            return {unpacked(key): unpacked(item) for key, item in inside}
        inside = unpacked(inside)
        if tag == "set":
            return set(inside)
        if tag == "items":
            return iter(inside)
        if tag in ("texts", "objects"):
            return numpy.array(inside, dtype=object if tag == "objects" else None)
        pandas = importlib.import_module("pandas")
        if tag == "index":
            return pandas.Index(inside[0], name=inside[1])
        if tag == "series":
            return pandas.Series(inside[0], index=inside[1], name=inside[2])
        columns, index, parts = inside
        table = pandas.DataFrame({n: part.to_numpy() for n, part in enumerate(parts)}, index=index)
        table.columns = columns
        return table

    if notebook is None:  # in the trusted process, for what came back
        return unpacked(arguments) if name == "unpacked" else packed(arguments)
    value = getattr(notebook, name)
    if arguments is None:
        return ["callable"] if callable(value) else ["value", packed(value)]
    args, kwargs = unpacked(arguments)
    return ["value", packed(value(*args, **kwargs))]


class RichSubject:
    """A ``student`` or a ``reference`` whose values may be rich; see `rich_values`."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._subject.apply(crossed, name)
        if found != ["callable"]:
            return self._value(found, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            arguments = crossed(None, "packed", (args, kwargs))
            return self._value(self._subject.apply(crossed, name, arguments), name)

        call.__name__ = name
        return call

    def apply(self, helper: Helper, *args: Any, **kwargs: Any) -> Any:
        """Run a helper in the session; see `Subject.apply`."""
        return self._subject.apply(helper, *args, **kwargs)

    def _value(self, found: Any, name: str) -> Any:
        if isinstance(found, Proxy) or not isinstance(found, list) or len(found) != 2:
            raise CheckFailure("an answer that is no value", name)
        try:
            return crossed(None, "unpacked", found[1])
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise CheckFailure(f"an answer that cannot be used ({error})", name) from None


def rich_values(subject: Subject) -> RichSubject:
    """Return a ``student`` or a ``reference`` that passes sets, ranges, any dicts, tables, too.

    ``student = rich_values(student)`` in the first line of a check is enough. What a session makes
    of them is copied, as every value is: no check sees the student's own object. Of a generator the
    first 1,001 items are taken.

    Args:
        subject: the check's ``student`` or ``reference``.
    """
    return RichSubject(subject)
