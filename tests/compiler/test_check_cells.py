import json
import textwrap

import pytest

from autograder.errors import SourceError

# One cell with everything that a release must not show; each secret says SECRET.
FULL = '''
# %%
# A comment of the cell.

import math

SIZES = (3, 4)


def draw(rng, shape):  # kept: a visible check needs it by way of `pair`
    return rng.normal(size=shape)


# Draws a pair.
def pair(rng, shape):
    return draw(rng, (2, *shape))


# SECRET comment of a helper
def trap(x):
    return x * 31337  # SECRET


SECRET_TABLE = [1, 2]
SECRET_TABLE[0] = 5


@check(
    "double",
    points=1,
    # SECRET comment of the hint
    hint="SECRET hint"
    " goes on",
    pure=True,
)
@case("one",   shape=(3,))  # the author's own formatting
# SECRET comment of a case
@case("SECRET matrix", shape=(4, 5), hidden=True)  # SECRET too
@case(
    "another",
    shape=(2,),
    hidden=False,
)
@case(
    "SECRET last",
    shape=(9,),
    hidden=True,
)
# what it does
def first(student, reference, rng, shape):
    """double doubles."""
    x, y = pair(rng, shape)
    assert_close(student.double(x), reference.double(x))


@check("double", points=1)
@case("SECRET all", n=31338, hidden=True)
def second(student, reference, rng, n):
    """double doubles a lot."""
    x = trap(rng.normal(size=n))  # SECRET
    assert_close(student.double(x), reference.double(x), what="SECRET")


@check("double", points=1)
@case("third", n=3)
def third(student, reference, rng, n):
    x = rng.normal(size=n) * math.pi
    assert_close(student.double(x), reference.double(x))


self_check(first)
'''

BANK = """
from autograder import alternative, mistake


# SECRET comment of a mistake
@mistake("SECRET title")
def double(x):
    return 3 * x


mistake("SECRET none", double=lambda x: None)

for _secret in (1, 2):
    mistake(f"SECRET {_secret}", double=lambda x: _secret)


@alternative("SECRET alternative")
class double:
    pass
"""


@pytest.fixture
def full(workshop):
    workshop.bank("double", BANK)
    return workshop.compile(FULL)


def test_nothing_hidden_is_anywhere_in_the_release(full):
    for name, data in full.artefacts.release.items():
        if not name.endswith(".whl"):
            assert b"secret" not in data.lower()
            assert b"3133" not in data


def test_the_visible_part_of_a_check_keeps_the_authors_formatting(full):
    assert full.release["first"] == textwrap.dedent(
        '''
        # A comment of the cell.

        import math


        def draw(rng, shape):  # kept: a visible check needs it by way of `pair`
            return rng.normal(size=shape)


        # Draws a pair.
        def pair(rng, shape):
            return draw(rng, (2, *shape))


        @check("double", points=1, pure=True)
        @case("one",   shape=(3,))  # the author's own formatting
        @case(
            "another",
            shape=(2,),
            hidden=False,
        )
        # what it does
        def first(student, reference, rng, shape):
            """double doubles."""
            x, y = pair(rng, shape)
            assert_close(student.double(x), reference.double(x))


        self_check(first)
        '''
    ).strip("\n")


def test_a_student_reads_in_the_release_that_a_check_reveals(workshop):
    compiled = workshop.compile(
        """
        # %%
        @check("double", points=1, hint="SECRET", reveal=True)
        @case("visible", n=3)
        @case("hidden", n=4, hidden=True)
        def one(student, reference, rng, n):
            x = rng.normal(size=n)
            assert_close(student.double(x), reference.double(x))
        """,
        """
        # %%
        from autograder import arrays, matches_reference
        """,
        """
        # %%
        two = matches_reference(
            "double", points=1, name="two", x=arrays(), hint="SECRET", reveal=True
        )
        """,
    )
    assert compiled.release["one"].startswith('@check("double", points=1, reveal=True)\n@case(')
    assert "    reveal=True,\n" in compiled.release["two"]
    assert "SECRET" not in compiled.release["one"] + compiled.release["two"]


def test_a_check_without_visible_cases_leaves_a_comment(full):
    assert full.release["second"] == (
        "# double: graded with hidden cases.\n# double doubles a lot."
    )


def test_each_check_gets_a_cell_that_ends_with_its_self_check(full):
    names = list(full.release)
    assert names[names.index("first") :] == ["first", "second", "third"]
    assert full.release["third"].startswith('@check("double", points=1)\n@case("third", n=3)')
    assert full.release["third"].endswith("\n\n\nself_check(third)")


def test_helpers_of_another_cell_are_kept_where_they_stand(workshop):
    compiled = workshop.compile(
        """
        # %%
        def shared(rng):
            return rng.normal(size=3)

        @check("double", points=1)
        @case("hidden", hidden=True)
        def one(student, reference, rng):
            shared(rng)
        """,
        """
        # %%
        @check("double", points=1)
        @case("visible")
        def two(student, reference, rng):
            x = shared(rng)
            assert_close(student.double(x), reference.double(x))
        """,
    )
    given = "given_double_is_right_1"
    assert compiled.release[given] == "def shared(rng):\n    return rng.normal(size=3)"
    assert list(compiled.release)[-3:] == [given, "one", "two"]


def test_a_hidden_cell_leaves_no_more_than_the_place_of_its_check(workshop):
    compiled = workshop.compile(
        """
        # %% hidden=true
        def secret(rng):
            return rng.normal(size=3)

        @check("double", points=1)
        @case("SECRET", hidden=True)
        def hidden_one(student, reference, rng):
            '''SECRET'''
            secret(rng)
        """,
        "# %% hidden=true\nSECRET = 1",
    )
    assert list(compiled.release)[-1] == "hidden_one"
    assert compiled.release["hidden_one"] == "# double: graded with hidden cases."
    assert "SECRET" not in json.dumps(compiled.notebook)


def test_a_bank_changes_nothing_of_the_release(workshop):
    before = workshop.compile()
    workshop.bank("double", 'from autograder import mistake\nmistake("zero", double=lambda x: 0)\n')
    after = workshop.compile()
    assert after.artefacts.release == before.artefacts.release
    assert after.artefacts.solution == before.artefacts.solution
    assert after.artefacts.bundle != before.artefacts.bundle


def test_a_self_check_that_is_written_keeps_its_form(workshop):
    cell = """
        # %%
        @check("double", points=1)
        @case("visible")
        def two(student, reference, rng):
            x = rng.normal()
            assert_close(student.double(x), reference.double(x))

        self_check( two )
    """
    assert workshop.compile(cell).release["two"].endswith("\n\n\nself_check( two )")


ERRORS = {
    "hidden= that is computed": (
        '@check("q", points=1)\n@case("a", hidden=bool(1))\ndef one(s, r, g): ...',
        "line 2: hidden must be True or False, got bool(1) (the compiler reads it, and does not"
        " run it)",
    ),
    "a case of no check": (
        '@case("a", hidden=True)\ndef one(s, r, g): ...',
        "the decorators of check 'one' must be @check(…), then @case(…) and @domain(…),"
        " and no others",
    ),
    "another decorator": (
        '@check("q", points=1)\n@staticmethod\n@case("a")\ndef one(s, r, g): ...',
        "the decorators of check 'one' must be @check(…), then @case(…) and @domain(…),"
        " and no others",
    ),
    "a nested check": (
        'if True:\n    @check("q", points=1)\n    @case("a", hidden=True)\n    def one(): ...',
        "a check must be a function (def) at the top level of its cell",
    ),
    "a name that nbgrader does not take": (
        '@check("q", points=1)\n@case("a", hidden=True)\ndef größe(s, r, g): ...',
        "the name of check 'größe' must be in ASCII letters, as nbgrader asks; rename it",
    ),
    "a second check of a name": (
        '@check("q", points=1)\n@case("a", hidden=True)\ndef double_is_right(s, r, g): ...',
        "check 'double_is_right' is in cell 3 too; each must have a name of its own: rename one",
    ),
    "a mistake in the notebook": (
        '@mistake("zero")\ndef double(x):\n    return 0',
        "line 1 calls mistake(…); move it to the bank of its question, bank/<question>.py beside"
        " the notebook",
    ),
    "an alternative of a check": (
        'x = 1\ndouble_is_right.alternative("zero", double=0)',
        "line 2 calls alternative(…); move it to the bank of its question, bank/<question>.py"
        " beside the notebook",
    ),
    "a self-check of no check": (
        "self_check(double_is_rigth)",
        "there is no check 'double_is_rigth'; did you mean 'double_is_right'?",
    ),
    "two statements on a line": (
        "x = 1; self_check(double_is_right)",
        "line 1: each statement must be on a line of its own; split it",
    ),
    "what is neither check nor helper": (
        'print("hello")\nself_check(double_is_right)',
        "line 1: a statement in a check cell must be a check or define a helper; move it to a"
        " cell of its own",
    ),
}


@pytest.mark.parametrize(("cell", "sentence"), ERRORS.values(), ids=ERRORS)
def test_what_could_hide_something_from_the_compiler_is_refused(workshop, cell, sentence):
    with pytest.raises(SourceError) as error:
        workshop.compile(f"# %%\n{cell}")
    assert str(error.value) == f"assignments/hw/hw.py, cell 4: {sentence}"


@pytest.mark.parametrize(
    ("decorator", "case", "sentence"),
    [
        (
            '@check("q", points=1)',
            '@case("a", **{"hidden": True})',
            "check 'one' must spell out hidden=True at each case that is hidden, also in a hidden"
            " cell, and hint= at @check",
        ),
        (
            '@check("q", points=0, **{"hint": "secret"})',
            '@case("a")',
            "check 'one' must spell out hidden=True at each case that is hidden, also in a hidden"
            " cell, and hint= at @check",
        ),
        (
            "@same",
            '@case("a", hidden=True)',
            "the decorators of check 'one' must be @check(…), then @case(…) and @domain(…),"
            " and no others",
        ),
        (
            '@check("q", points=1)',
            '@case("a")',
            "check 'one' can be answered from its release: its cases are all visible and it draws"
            " nothing from rng; hide a case, draw inputs from rng, or give it points=0",
        ),
    ],
)
def test_a_check_must_be_what_its_text_says(workshop, decorator, case, sentence):
    with pytest.raises(SourceError) as error:
        workshop.compile(
            "# %%\ndef same(f):\n    return f",
            f"# %%\n{decorator}\n{case}\ndef one(student, reference, rng): ...",
        )
    assert str(error.value) == f"assignments/hw/hw.py, cell 5: {sentence}"


def test_a_check_without_rng_whose_hidden_case_is_cut_still_runs_in_its_release(workshop):
    """What the release shows has visible cases only, and the rule against those is the author's."""
    check = '@check("double", points=1)\n@case("a", x=3)\n@case("b", x=4, hidden=True)\n'
    body = "def one(student, reference, rng, x):\n    assert student.double(x) == 2 * x"
    released = workshop.compile(f"# %%\n{check}{body}").release["one"]
    names = {"student": None}
    exec(f"from autograder import case, check\nself_check = print\n{released}", names)
    assert [one.name for one in names["one"].cases] == ["a"]


def test_a_check_that_no_decorator_shows_is_refused(workshop):
    with pytest.raises(SourceError) as error:
        workshop.compile(
            "# %%\nfrom autograder import case as c, check as k",
            '# %%\n@k("q", points=1)\n@c("a", hidden=True)\ndef one(student, reference, rng): ...',
        )
    assert str(error.value) == (
        "assignments/hw/hw.py, cell 5: check 'one' is not seen by the compiler; decorate a"
        " function with @check(…), or write one = matches_reference(…)"
    )


def test_cases_of_a_hidden_cell_say_that_they_are_hidden(workshop):
    with pytest.raises(SourceError, match="also in a hidden cell"):
        workshop.compile(
            '# %% hidden=true\n@check("q", points=0)\n@case("a")\n'
            "def one(student, reference, rng): ..."
        )


def test_a_visible_check_cannot_use_what_a_hidden_cell_defines(workshop):
    with pytest.raises(SourceError) as error:
        workshop.compile(
            "# %% hidden=true\ndef secret(rng):\n    return rng.normal()",
            '# %%\n@check("q", points=1)\n@case("a")\n'
            "def one(student, reference, rng):\n    secret(rng)",
        )
    assert str(error.value) == (
        "assignments/hw/hw.py, cell 5: what a visible check uses must be visible: 'secret' is in a"
        " hidden cell; move it"
    )
