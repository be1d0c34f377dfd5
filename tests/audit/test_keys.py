"""What the proof of a check hangs on, and what it does not."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.audit import keys
from autograder.audit.keys import keys_of as keys_of_texts
from autograder.audit.plain import plain
from autograder.compiler.bank_files import without_prices
from autograder.compiler.build import compile_assignment, read_texts
from autograder.course import Course
from tests.audit.test_publish import BANK_OF_MEAN, BUILT_ON_IT
from tests.small_course import BANK_OF_CHOICE, BANK_OF_SUM, SOURCE, small_course

SUM, CHOICE = "scaled_sum_matches_reference", "choice_is_right"
Change = tuple[str, str]

HELPERS = (
    (
        "choice = ",
        "def _unused(x):\n    return x\n\n\ndef _half(x):\n    return x / 2\n\n\nchoice = ",
    ),
    ("    total = x.sum()\n", "    total = 2 * _half(x.sum())\n"),
    (
        '@check("scaled_sum"',
        "SIZES = {}\nSIZES['n'] = 1\n\n"
        "def drawn(rng, n):\n    return rng.normal(size=SIZES['n'] * n)\n\n"
        '@check("scaled_sum"',
    ),
    ("x = rng.normal(size=n)", "x = drawn(rng, n)"),
    ('@case("three numbers", n=3)', '@case(\n    "three numbers",\n    n=3,\n)'),
)
SHARED = {
    "_shared": "def zero(x):\n    return 0.0\n",
    "scaled_sum": "from bank import _shared\n" + BANK_OF_SUM.replace("x.sum()", "_shared.zero(x)"),
    "choice": BANK_OF_CHOICE,
}


@pytest.fixture
def keys_of(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return a function that gives the keys of the small course with further changes."""
    data = tmp_path / "assignments" / "small" / "data" / "numbers.csv"
    data.parent.mkdir(parents=True)
    data.write_text("1, 2\n")

    def found(*changes: Change, banks: dict[str, str] | None = None) -> dict[str, str]:
        course = small_course(tmp_path, *HELPERS, *changes, banks=banks or SHARED)
        return small_keys(course)

    return found


def small_keys(course: Course) -> dict[str, str]:
    return keys_of_texts(read_texts(course, "small"))


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, key in before.items() if after[name] != key}


NOTHING = {
    "a comment of the check": ("    x = drawn", "    # Draws.\n    x = drawn"),
    "a comment at a case": ("n=40)", "n=40)  # many"),
    "a comment in a case": ("    n=3,\n", "    n=3,  # few\n"),
    "its docstring": ("scaled_sum adds up and scales.", "Adds up."),
    "no docstring": ('    """scaled_sum adds up and scales."""\n', ""),
    "its hint": ("mind the default of the factor", "look at the factor"),
    "its points": ("points=4", "points=3"),
    "prose": ("# Add up and scale.", "# Add up, then scale."),
    "a docstring of the reference": ("Return the sum of x times a factor.", "Add up."),
    "a comment of the reference": ("    total = 2", "    # Twice the half.\n    total = 2"),
    "a function that nothing reaches": ("    return x\n", "    return x + 1\n"),
    "an import more": (
        "import numpy as np\n\nfrom auto",
        "import math\n\nimport numpy as np\n\nfrom auto",
    ),
    "a manual question": ("addition commutes", "a sum commutes"),
}


@pytest.mark.parametrize("change", NOTHING.values(), ids=NOTHING)
def test_what_proves_nothing_changes_no_key(
    keys_of: Callable[..., dict[str, str]], change: Change
) -> None:
    assert changed(keys_of(), keys_of(change)) == set()


PROBE = (
    ("choice = ", "def probe(notebook, x):\n    return notebook.choice\n\n\nchoice = "),
    (
        "from reference.small import scaled_sum\n",
        "from reference.small import scaled_sum\n\n"
        "# %% given=true\nfrom reference.small import probe\n",
    ),
    ("    assert_close(student", "    student.apply(probe, x)\n    assert_close(student"),
)
ANOTHER_CHOICE = ("the second of two", "the last of two")


def test_what_a_helper_of_the_reference_names_in_the_notebook_changes_the_key(
    keys_of: Callable[..., dict[str, str]],
) -> None:
    assert changed(keys_of(), keys_of(ANOTHER_CHOICE)) == {CHOICE}
    assert changed(keys_of(*PROBE), keys_of(*PROBE, ANOTHER_CHOICE)) == {SUM, CHOICE}


def test_a_comment_in_a_bank_changes_no_key(keys_of: Callable[..., dict[str, str]]) -> None:
    text = SHARED["scaled_sum"].replace(
        "    return", '    """Forgets."""\n    # at all\n    return'
    )
    assert changed(keys_of(), keys_of(banks={**SHARED, "scaled_sum": text})) == set()


PRICED = """from autograder import mistake


@mistake("the factor is forgotten altogether"{decorator})
def _(x, factor=2.0):
    return x.sum()


mistake("half of it", edit=("return factor", "return 0.5 * factor"){call})
"""


@pytest.mark.parametrize(
    "prices",
    [
        {"decorator": ", costs=1", "call": ""},
        {"decorator": ", costs=2.5", "call": ",\n    costs=1,\n"},
        {"decorator": ",\n    costs=0", "call": ", costs=4"},
    ],
)
def test_a_price_changes_no_key(
    keys_of: Callable[..., dict[str, str]], prices: dict[str, str]
) -> None:
    before, after = (
        {**SHARED, "scaled_sum": PRICED.format_map(said)}
        for said in ({"decorator": "", "call": ""}, prices)
    )
    assert changed(keys_of(banks=before), keys_of(banks=after)) == set()


def test_all_else_of_a_mistake_changes_its_key(keys_of: Callable[..., dict[str, str]]) -> None:
    priced = PRICED.format(decorator=", costs=1", call="")
    for old, new in (("forgotten altogether", "left out"), ("0.5 * factor", "0.25 * factor")):
        before = {**SHARED, "scaled_sum": priced}
        after = {**SHARED, "scaled_sum": priced.replace(old, new)}
        assert changed(keys_of(banks=before), keys_of(banks=after)) == {SUM}


def test_values_that_are_unpacked_stay_in_a_bank_without_prices() -> None:
    text = "mistake('a', costs=1, **values)\nmistake('b', **{'x': 1}, costs=2)\n"
    assert without_prices(text) == "mistake('a', **values)\nmistake('b', **{'x': 1})\n"


SOMETHING = {
    "a case": ("n=40", "n=41"),
    "a case's name": ("many numbers, hidden", "more numbers, hidden"),
    "the check": ('what="sum"', 'what="total"'),
    "an option": ("pure=True", "pure=False"),
    "no points": ("points=4", "points=0"),
    "a reached function": ("    return factor * total", "    return total * factor"),
    "what that calls": ("    return x / 2", "    return 0.5 * x"),
    "a helper of the check": ("SIZES['n'] * n", "n * SIZES['n']"),
    "what changes what a helper uses": ("SIZES['n'] = 1", "SIZES['n'] = 2"),
}


@pytest.mark.parametrize("change", SOMETHING.values(), ids=SOMETHING)
def test_what_a_check_reaches_changes_its_key_and_no_other(
    keys_of: Callable[..., dict[str, str]], change: Change
) -> None:
    assert changed(keys_of(), keys_of(change)) == {SUM}


def test_a_bank_changes_the_keys_of_its_question_only(
    keys_of: Callable[..., dict[str, str]],
) -> None:
    text = SHARED["choice"] + 'mistake("nothing", choice=None)\n'
    assert changed(keys_of(), keys_of(banks={**SHARED, "choice": text})) == {CHOICE}


@pytest.mark.parametrize(
    "line",
    ["from bank import _shared", "import bank._shared as _shared", "from . import _shared"],
)
def test_what_banks_share_changes_the_keys_of_those_that_import_it(
    keys_of: Callable[..., dict[str, str]], line: str
) -> None:
    text = SHARED["scaled_sum"].replace("from bank import _shared", line)
    before = {**SHARED, "scaled_sum": text}
    after = {**before, "_shared": "def zero(x):\n    return 1.0\n"}
    assert changed(keys_of(banks=before), keys_of(banks=after)) == {SUM}


def test_data_change_every_key(keys_of: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    before = keys_of()
    (tmp_path / "assignments/small/data/numbers.csv").write_text("1, 3\n")
    assert changed(before, keys_of()) == {SUM, CHOICE}


def test_what_is_given_changes_a_key_though_the_check_does_not_name_it(
    keys_of: Callable[..., dict[str, str]],
) -> None:
    apart = ("return scaled_sum(x) / len(x)", "return 2 * x.mean()")
    kept = {**SHARED, "scaled_mean": BANK_OF_MEAN.replace("scaled_sum(x", "2 * np.sum(x")}
    kept["scaled_mean"] = kept["scaled_mean"].replace(
        "from assignment import scaled_sum", "import numpy as np"
    )
    before = keys_of(*BUILT_ON_IT, apart, banks=kept)
    after = keys_of(
        *BUILT_ON_IT, apart, ("return factor * total\n", "return total * factor\n"), banks=kept
    )
    assert changed(before, after) == {SUM, "scaled_mean_matches_reference"}


def test_a_name_in_a_text_is_a_name() -> None:
    """Letters that could be the prefix of a text are letters of a name."""
    assert set(keys._words('student["buffer"], f"{x} rub"')) >= {"student", "buffer", "x", "rub"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('f"{x:.3f} {1e5} {y!r}"', ("f", "x", "e5", "y", "r")),
        ("rf'ü {a[\"b\"]:{n}} {{c}}' + d", ("rf", "ü", "a", "b", "n", "c", "d")),
        ('f"""{x\n + y} z\n"""', ("f", "x", "y", "z")),
    ],
)
def test_the_words_of_a_text_are_the_same_on_every_python(
    text: str, words: tuple[str, ...]
) -> None:
    """From Python 3.12 on, the tokenizer takes an f-string apart."""
    assert keys._words(text) == words


def test_the_audits_own_code_changes_every_key(
    keys_of: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys_of()
    own = keys._own_code()
    said = "\n".join(own)
    for defined in ("def try_mutants(", "OPERATORS: dict", "def run_case(", "def assert_close("):
        assert defined in said
    for defined in ("def report_on(", "def watch(", "\nfrom autograder."):
        assert defined not in said
    monkeypatch.setattr(keys, "_own_code", lambda: (*own, "more"))
    assert changed(before, keys_of()) == {SUM, CHOICE}


def test_a_major_version_changes_every_key(
    keys_of: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys_of()
    monkeypatch.setattr(keys.metadata, "version", lambda _: "99.1")
    after = keys_of()
    assert changed(before, after) == {SUM, CHOICE}
    monkeypatch.setattr(keys.metadata, "version", lambda _: "99.2")
    assert keys_of() == after


def test_a_key_hangs_on_no_order(tmp_path: Path) -> None:
    course = small_course(tmp_path, *HELPERS, banks=SHARED)
    made = read_texts(course, "small")

    def turned(texts: object) -> dict[str, object]:
        assert isinstance(texts, dict)
        return dict(reversed(texts.items()))

    again = keys_of_texts(replace(made, reference=turned(made.reference), banks=turned(made.banks)))
    assert again == small_keys(course)
    code = (
        "from pathlib import Path\nfrom autograder.audit.keys import keys_of\n"
        "from autograder.compiler.build import read_texts\nfrom autograder.course import Course\n"
        f"print(keys_of(read_texts(Course(Path({str(tmp_path)!r})), 'small')))"
    )
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"  # another than this one's
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == str(again)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('def f():\n    """Doc."""\n    return 1', "def f():\n    return 1"),
        ('def f():\n    """Doc.\n\n    More.\n    """', "def f():\n    pass"),
        ('def f(): "doc"', "def f(): pass"),
        ('class A:\n    "doc"; x = 1', "class A:\n    pass; x = 1"),
        ('"""ü"""\n\nx = "#"  # ü', 'x = "#"'),
        ('x = """a\n\n  \nb  """  # c', 'x = """a\n\n  \nb  """'),
        ('x = f"""a\n\n  \n{b\n\n} """  # c', 'x = f"""a\n\n  \n{b\n\n} """'),
        ("x = [\n\n    1,  # one\n]", "x = [\n    1,\n]"),
    ],
)
def test_a_plain_text_is_without_comments_docstrings_and_blank_lines_of_code(
    text: str, left: str
) -> None:
    assert plain(text) == left


def test_the_small_course_has_a_key_for_each_check(tmp_path: Path) -> None:
    course = small_course(tmp_path)
    found = keys_of_texts(compile_assignment(course, "small"))
    assert found == small_keys(course)  # nothing needs to be run for it
    assert [name for name in found if f"def {name}(" in SOURCE] == [SUM, CHOICE] == list(found)
