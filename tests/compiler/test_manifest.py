import importlib.metadata
import platform

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
        "# %% [markdown]\n# # The title (20 points)\n#\n# ## 1.2 Softmax: $e^x$ (4 points) ##",
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
