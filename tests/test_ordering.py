"""The order of a parallel run, and what is compiled before it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.assertion import rewrite

from tests.compiling import compile_all
from tests.ordering import longest_first


def some(**takes: float) -> Any:
    """Make tests that say how long they take; those of 0 s do not."""

    def one(name: str, seconds: float) -> SimpleNamespace:
        mark = pytest.mark.takes(seconds=seconds).mark if seconds else None
        return SimpleNamespace(name=name, get_closest_marker={"takes": mark}.get)

    return [one(*pair) for pair in takes.items()]


def names(items: Any) -> str:
    return "".join(item.name for item in items)


@pytest.mark.parametrize(
    ("workers", "order"),
    [
        (1, "DBHacefgij"),
        (2, "DacefBHgij"),  # the parts of the workers: Dacef and BHgij
        (3, "DacBefHgij"),
        (4, "DaBcHefgij"),
    ],
)
def test_each_worker_begins_with_some_of_what_takes_long(workers: int, order: str) -> None:
    items = some(a=0, B=3, c=0, D=9, e=0, f=0, g=0, H=2, i=0, j=0)
    ordered = longest_first(items, workers)
    assert sorted(map(id, ordered)) == sorted(map(id, items))
    assert names(ordered) == order


def test_more_that_takes_long_than_others_is_dealt_out_all_the_same() -> None:
    assert sorted(names(longest_first(some(A=9, B=5, C=4, D=2), 3))) == list("ABCD")
    assert names(longest_first(some(a=0, b=0), 3)) == "ab"
    assert longest_first([], 3) == []


def test_modules_are_compiled_as_they_are_imported(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    for name in ("tests/part/test_it.py", "tests/part/helper.py", "autograder/one.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def f(x):\n    assert x == 1\n")
    (tmp_path / "tests/part/test_broken.py").write_text("def")  # its worker tells of it
    compile_all(pytestconfig, tmp_path)
    test = tmp_path / "tests/part/test_it.py"
    kept = rewrite.get_cache_dir(test) / f"test_it{rewrite.PYC_TAIL}"
    code = rewrite._read_pyc(test, kept)
    assert code is not None
    assert "@pytest_ar" in code.co_names
    assert [p.name.partition(".")[0] for p in sorted(kept.parent.glob("*.pyc"))] == [
        "helper",
        "test_it",
    ]
    assert list((tmp_path / "autograder").rglob("one.*.pyc"))
    before = kept.stat()
    compile_all(pytestconfig, tmp_path)
    assert kept.stat().st_mtime_ns == before.st_mtime_ns
