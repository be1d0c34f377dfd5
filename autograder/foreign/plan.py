"""The plan of an assignment's tests: which of them run out of the student's reach, and how."""

import msgspec

__all__ = ["NotebookPlan", "Plan", "TestNames", "TestPlan"]


class TestNames(msgspec.Struct, frozen=True):
    """What a test cell needs of the others.

    ``theirs`` are names that the student's notebook defines above, of all that trusted cells
    read; ``down`` are names that trusted cells bind and the student's code reads.
    """

    theirs: tuple[str, ...] = ()
    down: tuple[str, ...] = ()


class TestPlan(msgspec.Struct, frozen=True):
    """How a test cell is run.

    ``reason`` says why it is run beside the student's code; None of one that is hardened: it runs
    in a session of its own. ``given`` counts the trusted cells above it. ``allowed`` is what it may
    ask of the student's objects beside data, as the instructor's own solution needs it; None is
    all. ``imports`` are its imports, which the student's code may rely on; ``prelude`` is what it
    needs of other tests where it runs beside the student's code. ``solved`` says whether the
    instructor's own solution passes it here, without which nothing can be tried. ``shown`` is what
    of it students may read: they may be given its functions as they are written.
    """

    names: TestNames
    given: int
    reason: str | None = None
    allowed: tuple[str, ...] | None = ()
    imports: str = ""
    prelude: str = ""
    solved: bool = True
    shown: str = ""

    @property
    def is_hardened(self) -> bool:
        """Whether no student's code can decide what it says."""
        return self.reason is None


class NotebookPlan(msgspec.Struct, frozen=True):
    """How a notebook's tests are run.

    ``given`` are the trusted cells that they build upon; ``ahead`` counts those that stand above
    all tests, need nothing of the student's, and only import and define. ``forked`` says whether
    the sessions of all students can be forked from one that has run these.
    """

    given: tuple[str, ...]
    tests: dict[str, TestPlan]
    ahead: int = 0
    forked: bool = True

    def shown_of(self, given: str) -> str:
        """Return what of a given cell may be passed to the student's code as it is written."""
        return given if any(test.shown for test in self.tests.values()) else ""


class Plan(msgspec.Struct, frozen=True):
    """How an assignment's tests are run, by notebook; ``id`` names all that it hangs on."""

    id: str
    notebooks: dict[str, NotebookPlan]

    @property
    def tests(self) -> dict[str, TestPlan]:
        """All tests, by notebook and name."""
        return {
            f"{notebook}/{name}": test
            for notebook, plan in self.notebooks.items()
            for name, test in plan.tests.items()
        }
