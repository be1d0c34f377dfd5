"""Code that is given and tested: imported from the reference, handed out as it is written there."""

import pytest

from autograder.errors import SourceError
from tests.compiler.conftest import CHECK, PRELUDE, REFERENCE, SOLUTION

PICTURES = '''"""Pictures."""

import numpy as np

from reference.basics import double

SIZE = 4


def _blank():
    return np.zeros((SIZE, SIZE))


def picture():
    """Return a picture."""
    return _blank() + 1


def doubled():
    """Return a picture, doubled by what the student writes."""
    return double(picture())
'''
GIVEN = "# %% given=true\nfrom reference.pictures import {}\n\nshown = {}()\n"


def test_given_code_of_the_reference_stands_in_the_release_with_all_that_it_needs(workshop):
    workshop.reference(**{"basics.py": REFERENCE["basics.py"], "pictures.py": PICTURES})
    compiled = workshop.compile_only(PRELUDE, GIVEN.format("picture", "picture"), SOLUTION, CHECK)
    texts = (compiled.release, compiled.solution)
    for given in (next(t for t in text.values() if "shown" in t) for text in texts):
        assert "SIZE = 4" in given
        assert "def _blank():" in given
        assert given.endswith("shown = picture()")
        assert "reference" not in given


def test_what_the_student_wrote_above_is_not_handed_out(workshop):
    workshop.reference(**{"basics.py": REFERENCE["basics.py"], "pictures.py": PICTURES})
    compiled = workshop.compile_only(PRELUDE, SOLUTION, CHECK, GIVEN.format("doubled", "doubled"))
    given = next(t for t in compiled.release.values() if "shown" in t)
    assert "def doubled():" in given
    assert "def double(" not in given


def test_given_code_that_holds_an_answer_of_below_is_refused(workshop):
    workshop.reference(**{"basics.py": REFERENCE["basics.py"], "pictures.py": PICTURES})
    with pytest.raises(SourceError, match=r"cell 2: it hands out 'double', which cell 3 asks"):
        workshop.compile_only(PRELUDE, GIVEN.format("doubled", "doubled"), SOLUTION, CHECK)


@pytest.mark.parametrize(
    "cell",
    ["# %% given=true\nx = 1", "# %% given=true hidden=true\nfrom reference.basics import double"],
)
def test_only_a_cell_that_imports_the_reference_can_be_marked_as_given(workshop, cell):
    with pytest.raises(SourceError, match="given=true belongs to a cell that imports"):
        workshop.compile_only(PRELUDE, cell, SOLUTION, CHECK)
