import importlib.metadata
import platform
import re

import pytest

from autograder.errors import SourceError

CHECK = """
    # %%
    @check({question!r}, points={points}, all_or_nothing=True, device="cpu", hint="Look.")
    @case("visible", n=1)
    @case("hidden", n=2, hidden=True)
    def {name}(student, reference, rng, n):
        \"\"\"The first line.

        More.
        \"\"\"
        rng.normal(size=n)
"""
MANUAL = """
    # %% [markdown] manual=true question="proof" points=2.5
    # ### 1.4 Prove it (2.5 pts)
    #
    # ### BEGIN SOLUTION
    # ## No heading
    # ### END SOLUTION
    # BEGIN MARK SCHEME
    # END MARK SCHEME
"""


def test_questions_come_in_the_order_of_the_source_with_the_points_of_their_checks(workshop):
    manifest = workshop.compile(
        CHECK.format(question="late", points=1, name="one"),
        MANUAL,
        CHECK.format(question="double", points=0.5, name="two"),
    ).artefacts.manifest
    assert [(q.id, q.points, q.manual, q.cell) for q in manifest.questions] == [
        ("double", 2.5, False, None),
        ("late", 1.0, False, None),
        ("proof", 2.5, True, "proof"),
    ]
    assert [c.name for c in manifest.questions[0].checks] == ["double_is_right", "two"]
    assert manifest.possible == 6.0


def test_a_check_is_told_as_it_is_after_the_cells_ran(workshop):
    compiled = workshop.compile(CHECK.format(question="q", points=1, name="one"))
    entry = compiled.artefacts.manifest.questions[1].checks[0]
    assert entry.cases == (("visible", False), ("hidden", True))
    assert (entry.all_or_nothing, entry.device, entry.hint) == (True, "cpu", "Look.")
    assert entry.summary == "The first line."
    assert entry.cell == "one"


def test_a_question_is_called_after_the_heading_above_it(workshop):
    manifest = workshop.compile(
        "# %% [markdown]\n# # The title (4.5 points)\n#\n# ## 1.2 Softmax: $e^x$ (2 points) ##",
        CHECK.format(question="a", points=1, name="one"),
        "# %% [markdown]\n# Prose.\n# ```python\n# # a comment\n# ```",
        CHECK.format(question="b", points=1, name="two"),
        MANUAL,
    ).artefacts.manifest
    assert manifest.title == "The title"
    assert [q.title for q in manifest.questions] == [
        "double",
        "1.2 Softmax: $e^x$",
        "1.2 Softmax: $e^x$",
        "1.4 Prove it",
    ]


def heading(text):
    return f"# %% [markdown]\n# {text}"


def checks(*worth):
    """Return a check for each pair of a question and its points."""
    return [CHECK.format(question=q, points=p, name=f"{q}_{n}") for n, (q, p) in enumerate(worth)]


@pytest.mark.parametrize(
    "cells",
    [
        [heading("## One (3 points)"), *checks(("a", 1), ("b", 2))],
        [heading("## One (1.5 points)"), *checks(("a", 1.5)), heading("### B"), *checks(("b", 2))],
        [heading("## Part (3 points)"), heading("### One (1 pt)"), *checks(("a", 1), ("b", 2))[:1],
         heading("### Two (2 marks)"), *checks(("a", 1), ("b", 2))[1:]],
        [heading("## First (3 points)"), *checks(("a", 1), ("a", 2))[:1],
         heading("## Its other half (2 points)"), *checks(("a", 1), ("a", 2))[1:]],
        [heading("## Of no question (7 points)"), heading("## One (2 points)"), *checks(("a", 2))],
        [heading("## Of no number (1.2.3 points)"), *checks(("a", 2))],
        [heading("## One (2 points)"), *checks(("a", 0))],
    ],
)  # fmt: skip
def test_a_heading_may_tell_the_points_below_it_or_of_its_question(workshop, cells):
    assert workshop.compile(*cells).artefacts.manifest.possible > 0


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([heading("## One (4 points)"), *checks(("a", 1), ("b", 2))], "'One' says 4 points"),
        ([heading("## One (4 points)"), *checks(("a", 1))], "come to 1"),
        ([heading("## Part (4 points)"), heading("### One"), *checks(("a", 1))], "come to 1"),
        ([MANUAL.replace("2.5 pts", "3 pts")], "'1.4 Prove it' says 3 points, but points= below"),
    ],
)
def test_a_heading_that_tells_other_points_is_refused(workshop, cells, said):
    with pytest.raises(SourceError, match=re.escape(said)) as caught:
        workshop.compile(*cells)
    assert caught.value.cell is not None


def test_versions_are_those_that_are_installed(workshop):
    manifest = workshop.compile().artefacts.manifest
    assert manifest.versions["python"] == ".".join(platform.python_version_tuple()[:2])
    assert manifest.versions["numpy"] == importlib.metadata.version("numpy")
    assert manifest.autograder == manifest.versions["autograder"]
    assert manifest.preload == ("numpy",)
    assert set(manifest.files) == {
        "release.ipynb",
        "source.json",
        "mutants.json",
        "reference/__init__.py",
        "reference/basics.py",
    }
