"""Where mutants come from, and what they are run with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.audit.mutation.mutants import Site, mutants_of
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from tests.audit.conftest import all_sites

WriteCourse = Callable[..., Course]

HELPER = (
    'def scaled_sum(x: np.ndarray, factor: float = 2.0) -> float:\n    """Return',
    '''def _total(x: np.ndarray) -> float:
    return x.sum()


def scaled_sum(x: np.ndarray, factor: float = 2.0) -> float:
    """Return''',
)
USES_HELPER = ("    total = x.sum()\n", "    total = _total(x)\n")
BUILT_ON_IT = (
    (
        "    return factor * total\n",
        """    return factor * total


def scaled_mean(x: np.ndarray) -> float:
    '''Return the mean of x times two.'''
    return scaled_sum(x) / len(x)
""",
    ),
    (
        "# %% [markdown]\n# ## 2 A choice",
        """# %%
from reference.small import scaled_mean

# %%
@check("scaled_mean", points=2, given=["scaled_sum"])
@case("three numbers of the mean", n=3)
@case("many numbers of the mean", hidden=True, n=40)
def scaled_mean_matches_reference(student, reference, rng, n):
    x = rng.normal(size=n)
    assert_close(student.scaled_mean(x), reference.scaled_mean(x), what="mean")

# %% [markdown]
# ## 2 A choice""",
    ),
)
IN_A_CELL = (
    "# %%\nfrom reference.small import choice\n",
    """# %%
### BEGIN SOLUTION
choice = (3, 0.5)

def halved(x):
    return x / 2
### END SOLUTION
""",
)
NO_VARIANTS = ('choice="the first of two choices"', "choice=(1, 2)")


def sites(course: Course) -> dict[str, Site]:
    return {site.name: site for site in all_sites(compile_assignment(course, "small"))}


def test_each_function_and_value_that_is_asked_for_is_a_site(write_course: WriteCourse) -> None:
    found = sites(write_course())
    assert {name: (s.place, s.names) for name, s in found.items()} == {
        "scaled_sum": ("reference/small.py", ("scaled_sum",)),
        "choice": ("reference/small.py", ("choice",)),
    }


def test_a_helper_is_a_site_of_what_is_asked_for(write_course: WriteCourse) -> None:
    found = sites(write_course(HELPER, USES_HELPER, *BUILT_ON_IT))
    assert found["_total"].names == ("scaled_sum", "scaled_mean")
    mutant = next(m for m in mutants_of(found["_total"]) if m.after == "return -x.sum()")
    names = mutant.namespace()
    assert names["scaled_sum"](np.ones(3)) == -6.0
    assert names["scaled_mean"](np.ones(3)) == -2.0


def test_what_is_built_on_a_mutant_is_built_on_it(write_course: WriteCourse) -> None:
    site = sites(write_course(*BUILT_ON_IT))["scaled_sum"]
    assert site.names == ("scaled_sum",)
    mutant = next(m for m in mutants_of(site) if m.after == "return -(factor * total)")
    assert mutant.namespace()["scaled_mean"](np.ones(3)) == -2.0


def test_a_mutant_says_where_and_what_it_is(write_course: WriteCourse) -> None:
    compiled = compile_assignment(write_course(), "small")
    site = next(s for s in all_sites(compiled) if s.name == "scaled_sum")
    mutant = next(m for m in mutants_of(site) if m.after == "total = x.mean()")
    line = compiled.reference["reference/small.py"].split("\n")[mutant.line - 1]
    assert line.strip() == mutant.before == "total = x.sum()"
    assert mutant.title == "the mean where the sum is meant"
    assert mutant.text.splitlines()[0] == "def scaled_sum(x, factor: float=2.0):"


def test_mutants_are_in_the_order_of_lines_and_no_two_are_alike(write_course: WriteCourse) -> None:
    for site in sites(write_course()).values():
        mutants = mutants_of(site)
        assert mutants
        assert [m.line for m in mutants] == sorted(m.line for m in mutants)
        assert len({m.text for m in mutants}) == len(mutants)
        assert mutants_of(site) is mutants
        assert [m.text for m in mutants] == [m.text for m in mutants_of.__wrapped__(site)]


def test_the_oracle_is_not_touched(write_course: WriteCourse) -> None:
    compiled = compile_assignment(write_course(HELPER, USES_HELPER), "small")
    oracle = compiled.oracle
    before = dict(oracle.namespace)
    for site in all_sites(compiled):
        for mutant in mutants_of(site):
            mutant.namespace()
    assert oracle.namespace == before
    assert oracle.namespace["scaled_sum"](np.ones(3)) == 6.0


def test_what_stands_around_a_solution_region_is_not_changed(write_course: WriteCourse) -> None:
    region = (
        "    total = x.sum()\n    return factor * total",
        """    total = 1 + 1
    ### BEGIN SOLUTION
    total = x.sum()
    ### END SOLUTION
    return factor * total""",
    )
    site = sites(write_course(region))["scaled_sum"]
    assert {m.before for m in mutants_of(site)} == {"total = x.sum()"}


SHIFTED = (
    (
        "import numpy as np\n\nfrom autograder import ",
        "import numpy as np\n\nfrom autograder import assert_dtype, ",
    ),
    ("    return factor * total\n", "    return factor * total + np.abs(x)\n"),
)
COMPARED = 'assert_close(student.scaled_sum(x), reference.scaled_sum(x), what="sum")'
ASKS_FOR_DTYPE = (COMPARED, f"assert_dtype(student.scaled_sum(x), x, what='sum')\n    {COMPARED}")
STRICT = ("pure=True", 'pure=True, precision="strict"')
ASKED_BEFORE = (
    '# %%\n@check("scaled_sum", points=4',
    """# %%
@check("scaled_sum", points=1)
@case("one number of before", hidden=True)
def scaled_sum_of_one(student, reference, rng):
    assert_close(student.scaled_sum(np.ones(1)), reference.scaled_sum(np.ones(1)), what="sum")

# %%
@check("scaled_sum", points=4""",
)


@pytest.mark.parametrize(
    ("changes", "rounded"),
    [
        ((), False),
        ((ASKS_FOR_DTYPE,), True),
        ((STRICT,), True),
        ((ASKS_FOR_DTYPE, ASKED_BEFORE), False),
    ],
    ids=["no dtype is graded", "a dtype is", "precision is", "not by the first check"],
)
def test_single_precision_is_a_mistake_where_a_dtype_is_graded(
    write_course: WriteCourse, changes: tuple[tuple[str, str], ...], rounded: bool
) -> None:
    site = sites(write_course(*SHIFTED, *changes))["scaled_sum"]
    single = "return (factor * total + np.abs(x)).astype('float32')"
    assert (single in {m.after for m in mutants_of(site)}) == rounded


def test_what_a_cell_defines_is_a_site_of_the_cell(write_course: WriteCourse) -> None:
    course = write_course(IN_A_CELL, NO_VARIANTS, ('choice="the second', 'choice="a second'))
    found = sites(course)
    assert found["halved"].place.startswith("cell ")
    halved = next(m for m in mutants_of(found["halved"]) if m.after == "return x")
    assert halved.namespace()["halved"](3) == 3
    values = [m.namespace()["choice"] for m in mutants_of(found["choice"])]
    assert values == [(0.5, 3), (3,), (-3, -0.5), (6, 1.0), (1.5, 0.25)]


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ('"C"', ["D", "B", ""]),
        ("False", [True]),
        ("4", [-4, 8, 2, 5, 3]),
        ("0.5", [-0.5, 1.0, 0.25, 1.5, -0.5]),
        ("np.array([1.0, 3.0])", None),
        ("None", []),
    ],
)
def test_other_values_are_near_a_value(
    write_course: WriteCourse, text: str, others: list[Any] | None
) -> None:
    course = write_course(
        ('choice = "the second of two choices"\n\n\ndef', f"choice = {text}\n\n\ndef")
    )
    found = [m.namespace()["choice"] for m in mutants_of(sites(course)["choice"])]
    if others is None:
        assert [list(v) for v in found][-1] == [3.0, 1.0]
        assert len(found) == 6
    else:
        assert found == others
