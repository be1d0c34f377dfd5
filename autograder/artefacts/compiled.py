"""An assignment, compiled: its texts as they are written, and what they are when loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.artefacts.bundle import Cell
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.recording import Recording
from autograder.authoring.bank import Bank
from autograder.authoring.checks import Check
from autograder.authoring.standard import Standard

__all__ = ["Compiled", "Oracle", "Texts"]


@dataclass(frozen=True)
class Oracle:
    """The names of a source notebook after its cells ran, and its checks in source order.

    ``modules`` are the names of each module of the reference that the cells imported; ``banks``
    hold the mistakes and alternatives of each question that has some, and ``standards`` how
    strictly checks compare that do not have the default.
    """

    assignment: str
    namespace: dict[str, Any]
    checks: dict[str, Check]
    modules: dict[str, dict[str, Any]] = field(default_factory=dict)
    banks: dict[str, Bank] = field(default_factory=dict)
    standards: Mapping[str, Standard] = field(default_factory=dict)

    def bank(self, check: Check) -> Bank:
        """Return what is kept of a check's question."""
        return self.banks.get(check.question, Bank())

    def standard(self, check: Check) -> Standard:
        """Return how strictly a check compares numbers."""
        return self.standards.get(check.name, Standard())

    def with_findings(self, manifest: Manifest) -> "Oracle":
        """Return the oracle with what its audit found: tolerances, and draws that became cases."""
        entries = [entry for question in manifest.questions for entry in question.checks]
        drawn = self.with_draws({entry.name: entry.draws for entry in entries})
        return replace(drawn, standards={entry.name: entry.standard for entry in entries})

    def with_draws(self, draws: Mapping[str, Sequence[Mapping[str, str]]]) -> "Oracle":
        """Return the oracle with further hidden cases of checks by name, of some kinds each."""
        checks = {n: c.with_draws(draws.get(n, ())) for n, c in self.checks.items()}
        return replace(self, checks=checks)


@dataclass(frozen=True)
class Compiled:
    """An assignment, compiled: all but what an audit finds.

    Attributes:
        name: the assignment's.
        file: its source notebook, relative to the course.
        oracle: its cells and banks, loaded; each check has the default standard.
        cells: the trusted cells.
        reference: the modules of the reference that it needs, by path.
        banks: the text of each bank, by path.
        data: its files, by path.
        resources: the files that the reference finds beside its modules, by path.
        manifest: its questions, without what an audit finds.
        release: the release notebook, as intake heals against it.
        handout: the files of the release by path, but for the recording.
        recording: the replies to its visible cases.
        solution: the solution notebook.
        fingerprint: of what it was all made from.
        adopted: from which tool it was adopted, and is not proved; empty if the full standard
            holds.
        answerable: the checks that can be answered from their release; none unless it was adopted.
    """

    name: str
    file: str
    oracle: Oracle = field(repr=False)
    cells: tuple[Cell, ...] = field(repr=False)
    reference: Mapping[str, str] = field(repr=False)
    banks: Mapping[str, str] = field(repr=False)
    data: Mapping[str, bytes] = field(repr=False)
    resources: Mapping[str, bytes] = field(repr=False)
    manifest: Manifest
    release: bytes = field(repr=False)
    handout: Mapping[str, bytes] = field(repr=False)
    recording: Recording = field(repr=False)
    solution: bytes = field(repr=False)
    fingerprint: str
    adopted: str = ""
    answerable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Texts:
    """What an assignment is written in: read, not run; the attributes are those of `Compiled`."""

    cells: tuple[Cell, ...]
    reference: Mapping[str, str]
    banks: Mapping[str, str]
    data: Mapping[str, bytes]
    resources: Mapping[str, bytes]
    adopted: str = ""
