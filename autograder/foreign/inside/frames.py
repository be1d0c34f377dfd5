"""Tables of pandas as plain data, where a course uses them."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["frame_as_data", "frame_of_data"]

Inner = Callable[[Any], Any]
COLUMN_TYPE = re.compile(
    r"(u?int|float|complex|U?Int|Float)\d{1,3}|bool(ean)?|object|str|string|category"
    r"|(datetime|timedelta)64\[[a-z]{1,2}\]"
)


def frame_as_data(value: Any, inner: Inner) -> dict[str, Any] | None:
    """Return a value of pandas as plain data; None if it is none that is known.

    Args:
        value: any object.
        inner: returns what is in it as plain data.
    """
    import pandas as pd

    if type(value) is pd.DataFrame:
        columns = [_column(value.iloc[:, i], inner) for i in range(value.shape[1])]
        if any(column is None for column in columns):
            return None
        index = frame_as_data(value.index, inner)
        heads = frame_as_data(value.columns, inner)
        return None if index is None or heads is None else {"$frame": [columns, index, heads]}
    if type(value) is pd.Series:
        column, index = _column(value, inner), frame_as_data(value.index, inner)
        if column is None or index is None:
            return None
        return {"$series": [column, index, inner(value.name)]}
    if type(value) is pd.RangeIndex:
        return {"$rangeindex": [value.start, value.stop, value.step, inner(value.name)]}
    if isinstance(value, pd.MultiIndex):
        levels = [
            frame_as_data(value.get_level_values(level), inner) for level in range(value.nlevels)
        ]
        return None if None in levels else {"$multi": levels}
    if isinstance(value, pd.Index):
        column = _column(value.to_series(), inner)
        return None if column is None else {"$index": [column, inner(value.name)]}
    if type(value) is pd.Timestamp:
        return {"$timestamp": value.isoformat()}
    if type(value) is pd.Timedelta:
        return {"$pdtimedelta": value.isoformat()}
    if value is pd.NaT or value is pd.NA:
        return {"$missing": "NaT" if value is pd.NaT else "NA"}
    return None


def _column(series: Any, inner: Callable[[Any], Any]) -> list[Any] | None:
    kind = str(series.dtype)
    if COLUMN_TYPE.fullmatch(kind) is None:
        return None
    if kind == "category":
        known = series.cat.categories.to_series()
        categories = _column(known, inner)
        codes = series.cat.codes.to_numpy().astype("int64")
        return categories and [kind, codes, categories, bool(series.cat.ordered)]
    array = series.to_numpy()
    if isinstance(series.dtype, np.dtype) and array.dtype.kind in "biufc":
        return [kind, np.ascontiguousarray(array)]
    return [kind, inner(np.array([*series.tolist(), None], dtype=object)[:-1])]


def frame_of_data(name: str, said: Any, inner: Inner) -> Any:
    """Return the value of pandas that plain data stand for.

    Args:
        name: of its kind.
        said: the data.
        inner: returns the value of what is in it.

    Raises:
        ValueError: they stand for none.
    """
    import pandas as pd

    def column(parts: Any) -> Any:
        kind, values, *categories = parts
        if categories:
            known, is_ordered = column(categories[0]), categories[1] is True
            codes = np.asarray(values, dtype="int64")
            return pd.Series(pd.Categorical.from_codes(codes, pd.Index(known), is_ordered))
        if COLUMN_TYPE.fullmatch(kind) is None:
            raise ValueError("no kind of column")
        return pd.Series(inner(values)).astype(kind)

    def index(data: Any) -> Any:
        found = inner(data)
        if not isinstance(found, pd.Index):
            raise ValueError("no index")
        return found

    match name:
        case "frame":
            columns, rows, heads = said
            frame = pd.DataFrame({i: column(parts) for i, parts in enumerate(columns)})
            if not columns:
                return pd.DataFrame(index=index(rows), columns=index(heads))
            frame.index, frame.columns = index(rows), index(heads)
            return frame
        case "series":
            series = column(said[0])
            series.index, series.name = index(said[1]), inner(said[2])
            return series
        case "index":
            return pd.Index(column(said[0]), name=inner(said[1]))
        case "rangeindex":
            return pd.RangeIndex(*map(int, said[:3]), name=inner(said[3]))
        case "multi":
            return pd.MultiIndex.from_arrays([index(level) for level in said])
        case "timestamp":
            return pd.Timestamp(str(said))
        case "pdtimedelta":
            return pd.Timedelta(str(said))
        case "missing":
            return pd.NaT if said == "NaT" else pd.NA
    raise ValueError(f"malformed data: {name[:20]}")
