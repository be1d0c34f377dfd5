import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.additions import PARSED, Budget, Reader, added_lines, lines_of

GIVEN = '''\
import numpy as np
from autograder import (
    assert_close,
    self_check,
)

FACTOR = 2


def helper(x):
    """Return x."""
    return x


for k in range(3):
    FACTOR += 0 * k
np.random.seed(1)'''
CHECK = '''\
@check("double", points=2)
@case("short", n=2)
def double_is_right(student, reference, rng, n):
    """double doubles."""
    assert_close(student.double(n), 2 * n)


self_check(double_is_right)'''


def of(text, given_text=GIVEN, is_check=False):
    return Reader(Budget()).additions(given_text, text, is_check)


def code(text):
    return "\n".join(line for line in lines_of(text) if line.strip())


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (GIVEN + "\nimport math", "import math"),
        ("import math\n" + GIVEN, "import math"),
        (GIVEN.replace("FACTOR = 2\n", "FACTOR = 2\nlr = 0.1\n"), "lr = 0.1"),
        (GIVEN.replace("FACTOR = 2\n", "FACTOR = 2; lr = 0.1\n"), "FACTOR = 2; lr = 0.1"),
        (GIVEN.replace("as np", "as np, math"), "import numpy as np, math"),
        (GIVEN + "\n%matplotlib inline", "%matplotlib inline"),
        (GIVEN + "\nfiles = !ls", "files = !ls"),
        (GIVEN + "\nnp.sum?", "np.sum?"),
        (GIVEN + "\nx = await f()", "x = await f()"),
        ("%%time\n" + GIVEN + "\ny = 1", "y = 1"),
        (GIVEN + "\n@wraps\ndef f(x):\n    return x", "@wraps\ndef f(x):\n    return x"),
        (GIVEN + '\nTEXT = """\nFACTOR = 3\n"""', 'TEXT = """\nFACTOR = 3\n"""'),
        (GIVEN + "\nprint(FACTOR)", "print(FACTOR)"),
        ("answer = 3", "answer = 3"),
    ],
)  # fmt: skip
def test_a_statement_that_the_release_has_not_is_added(text, added):
    assert code(of(text).above) == added
    assert of(text).below == ""


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (GIVEN.replace("FACTOR = 2", "FACTOR = 3"), ("FACTOR",)),
        (GIVEN.replace("    return x", "    print(x)\n    return x"), ("helper",)),
        (GIVEN.replace("0 * k", "1 * k"), ("FACTOR", "k")),
        (GIVEN.replace("seed(1)", "seed(2)"), ()),
        ("FACTOR = 3\n" + GIVEN, ("FACTOR",)),
    ],
)
def test_a_change_to_what_is_given_does_not_count(text, changed):
    found = of(text)
    assert (found.above, found.below, found.changed) == ("", "", changed)
    assert found.text


@pytest.mark.parametrize(
    "text",
    [
        GIVEN,
        GIVEN + "\n\n\n",
        GIVEN.replace("\n", "\r\n"),
        GIVEN.replace("    assert_close,\n    self_check,\n", "assert_close, self_check"),
        GIVEN.replace('"""Return x."""', "'''Return x.'''"),
        "# a remark\n" + GIVEN,
        GIVEN.replace("FACTOR = 2\n", ""),
        "",
    ],
)  # fmt: skip
def test_another_layout_a_remark_and_a_loss_run_nothing(text):
    found = of(text)
    assert (found.above, found.below, found.changed) == ("", "", ())


def test_what_is_added_keeps_its_line():
    assert of(GIVEN + "\n\nimport math").above.split("\n")[18:] == ["import math"]


def test_a_check_is_never_run_and_what_surrounds_it_is():
    text = f"def double(x):\n    return 2 * x\n\n{CHECK}\nlate = 1\nself_check(double_is_right)\n"
    found = of(text + "later = 2", CHECK, is_check=True)
    assert code(found.above) == "def double(x):\n    return 2 * x\nlate = 1"
    assert code(found.below) == "later = 2"
    changed = of(CHECK.replace("2 * n", "n") + "\nx = 1", CHECK, is_check=True)
    assert (code(changed.above), code(changed.below)) == ("", "x = 1")
    assert changed.changed == ()


def test_a_check_that_a_statement_makes_is_never_run_either_nor_told_as_changed():
    made = 'double_is_right = matches_reference("double", points=2, x=arrays())'
    edited = f"def double(x):\n    return 2 * x\n\n{made.replace('2', '3')}\nx = 1"
    found = of(edited, made, is_check=True)
    assert (code(found.above), code(found.below)) == ("def double(x):\n    return 2 * x\nx = 1", "")
    assert found.changed == ()
    assert code(of(f"{GIVEN}\n{made}\nFOUR = 4").above) == "FOUR = 4"


def test_a_cell_that_merges_several_of_the_release_runs_but_for_its_checks():
    answer = "def double(x):\n    return 2 * x"
    other = CHECK.replace("double", "triple")
    found = of(f"{GIVEN}\n{answer}\n{CHECK}\n{other}\nFOUR = 4")
    assert code(found.above) == f"{answer}\nFOUR = 4"


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("def f(x):\n    return x\n\n\nimport numpy\ny = f(1)", True),
        ("import numpy\ndef f(x):\n    return x\n\n\ny = f(1)", True),
        ("import numpy\ny = f(1)\ndef f(x):\n    return x", False),
        ("g = 1\nimport numpy\ny = f(1)", False),
    ],
)
def test_given_code_that_uses_what_was_added_above_it_runs_again(text, again):
    assert of(text, "import numpy\ny = f(1)").again == again


def test_code_that_does_not_parse_is_compared_by_lines():
    found = of(GIVEN + '\nprint(f"{d["lr"]}")\ndef double(x):\n    return 2 * x')
    assert code(found.above) == 'print(f"{d["lr"]}")\ndef double(x):\n    return 2 * x'
    assert code(of(GIVEN + "\ntype X = int\nx = (").above) == "type X = int\nx = ("


def test_a_cell_of_another_language_runs_as_a_whole():
    text = "%%writefile helper.py\n" + GIVEN + "\nx = 1"
    assert of(text).above == text


def test_self_checks_are_left_out_where_they_stand():
    text = "x = 1\nself_check(a)\nfor c in (a, b):\n    self_check(c)\ny = 2"
    assert Reader(Budget()).without_self_checks(text) == "x = 1\n\n\n\ny = 2"
    kept = "def self_check(c):\n    pass\nx = 'self_check'"
    assert Reader(Budget()).without_self_checks(kept) == kept


@pytest.mark.parametrize(
    ("given_text", "text", "more"),
    [
        ("Prove:\n$$\nx\n$$", "Prove:\n$$\nx\n$$\n\nFirst.\n$$\ny\n$$", "First.|$$|y|$$"),
        ("Prove:\n$$\nx\n$$", "First.\n\n$$\ny\n$$\nProve:\n$$\nx\n$$", "First.|$$|y|$$"),
        ("a\nb\nc", "a\nb, and my proof\nc", "b, and my proof"),
        ("a\nb\nc", "a\nc", ""),
        ("a", "a  \n", ""),
        ("a", "z", "z"),
        ("", "z", "z"),
    ],
)  # fmt: skip
def test_the_lines_of_a_text_that_are_more(given_text, text, more):
    assert [line for line in added_lines(given_text, text, Budget()) if line] == more.split(
        "|"
    ) * bool(more)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 50_000 + "1",
        "(" * 50_000,
        "a" + ".b" * 100_000,
        "a" + "+a" * 100_000,
        "x = [" + "[], " * 30_000 + "]",
        "x\0y",
        "x = 1\n" * 20_000,
        "\n" * 300_000 + "x = 1",
        '"' + "\\d" * 100_000 + '"',
        " " * 300_000,
        "if x:\n" + " if x:\n" * 50_000,
        "%" * 100_000,
        "a" * 300_000,
    ],
    ids=range(13),
)
def test_what_is_huge_or_nested_harms_nobody(text):
    of(text)
    of(f"{GIVEN}\n{text}")
    of(text + "\n" + CHECK, CHECK, is_check=True)


def test_no_more_of_a_notebook_is_parsed_than_its_share():
    reader = Reader(Budget())
    big = "\n".join(f"a{i} = {i}" for i in range(PARSED // 8))
    for _ in range(3):
        assert code(reader.additions(GIVEN, f"{GIVEN}\n{big}").above) == big
    assert reader.without_self_checks("self_check(x)") == "self_check(x)"


STATEMENTS = st.sampled_from(
    [
        "import math",
        "v{} = {}",
        "def f{}(x):\n    return x\n",
        "if True:\n    w{} = {}",
        "@staticmethod\ndef g{}():\n    '''{}'''",
        "class C{}:\n    z = 1",
        "# a remark {}\nu{} = '''\n{}\n'''",
        "%magic {}",
        "s{} = 1; t{} = {}",
        "print({})",
    ]
)


@given(st.lists(st.tuples(st.integers(0, 5), STATEMENTS), max_size=6), st.booleans())
def test_every_whole_statement_that_is_put_between_the_given_ones_runs(inserted, dos):
    parts = GIVEN.split("\n\n")
    places = [[] for _ in range(len(parts) + 1)]
    wanted = []
    for number, (place, pattern) in enumerate(inserted):
        places[min(place, len(parts))].append(pattern.replace("{}", str(number)))
    lines = []
    for before, part in zip(places, [*parts, ""], strict=True):
        wanted += before
        lines += [*before, part]
    text = "\n".join(lines)
    found = of(text.replace("\n", "\r\n") if dos else text)
    ran = [line for line in lines_of(found.above) if line.strip()]
    statements = [line for line in lines_of("\n".join(wanted)) if line.strip()]
    assert ran == [line for line in statements if not line.startswith("# a remark")]
    assert not found.changed


@given(st.text(), st.text(), st.booleans())
def test_any_two_texts_can_be_compared(one, other, is_check):
    reader = Reader(Budget())
    reader.additions(one, other, is_check)
    reader.without_self_checks(other + "self_check")
    assert reader.additions(one, one, is_check).text == ""


def test_so_much_of_a_notebook_is_compared_and_what_is_beyond_it_counts_as_added():
    budget = Budget(compared=10)
    given, text = "a\nb\nc", "x\na\ny\nc"
    assert added_lines(given, text, budget) == ["x", "y"]  # 2 by 3 pairs of the middle
    assert budget.compared == 4
    budget = Budget(compared=5)
    assert added_lines(given, text, budget) == ["x", "a", "y"]
    assert budget.compared == 5
