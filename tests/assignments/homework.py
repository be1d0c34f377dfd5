"""The assignments of this course as their tests see them: each compiled once in a process."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import nbformat

from autograder.artefacts.compiled import Compiled
from autograder.artefacts.proof import CheckProof, Proof, read_proof
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.variants import run_variant
from autograder.audit.mutation.mutants import Site, sites_of
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Check
from autograder.compiler.build import compile_assignment
from autograder.compiler.source import Source, SourceCell, read_source
from autograder.course import find_course

__all__ = ["COURSE", "SECRETS", "Homework", "homework"]

COURSE = find_course(Path(__file__).parents[2])
SECRETS = (b"one", b"two", b"three")


@cache
def homework(name: str) -> "Homework":
    """Return an assignment; the first call in a process compiles it."""
    return Homework(compile_assignment(COURSE, name))


@dataclass(frozen=True)
class Homework:
    """An assignment.

    Attributes:
        compiled: its checks, banks and reference.
    """

    compiled: Compiled

    @cached_property
    def source(self) -> Source:
        """Its source notebook."""
        path = COURSE.source(self.compiled.name)
        return read_source(path, COURSE.relative(path))

    @property
    def names(self) -> dict[str, Any]:
        """What the names of its notebook stand for, with the reference's answers."""
        return self.compiled.oracle.namespace

    @property
    def checks(self) -> dict[str, Check]:
        """Its checks by name."""
        return self.compiled.oracle.checks

    @property
    def scored(self) -> list[Check]:
        """The checks with points that can be run without a GPU."""
        return [c for c in self.checks.values() if c.points and c.device != "cuda"]

    @cached_property
    def sites(self) -> list[Site]:
        """The definitions and values that its answers are made of."""
        return sites_of(self.compiled.cells, self.compiled.reference, self.compiled.oracle)

    @cached_property
    def asked(self) -> list[str]:
        """The names that a student is asked for."""
        return sorted({name for site in self.sites for name in site.names})

    @cached_property
    def stubs(self) -> dict[str, Any]:
        """What stands for these names in the release, before anybody worked on it."""
        release = nbformat.reads(self.compiled.release.decode(), as_version=4)
        names = dict(self.names)
        for cell in release.cells:
            if cell.cell_type == "code" and cell.metadata.nbgrader.solution:
                exec(cell.source, names)
        return {name: names[name] for name in self.asked}

    @cached_property
    def proof(self) -> Proof:
        """What its audit showed."""
        found = read_proof(COURSE, self.compiled.name)
        assert found is not None, f"run: autograder compile {self.compiled.name}"
        return found

    def proof_of(self, check: str) -> CheckProof:
        """Return what the audit showed of a check."""
        return self.proof.checks[check]

    @property
    def prose(self) -> list[SourceCell]:
        """The cells of its notebook that hold text."""
        return [cell for cell in self.source.cells if cell.type == "markdown"]

    def manual(self, question: str) -> str:
        """Return the text of a question that a person grades, with its rubric."""
        (cell,) = (c for c in self.source.cells if c.manual and c.manual.question == question)
        return cell.text

    def known_mistakes(self, check: str, words: str) -> list[Variant]:
        """Return the mistakes of a check's question that have some words in their title."""
        bank = self.compiled.oracle.bank(self.checks[check])
        return [mistake for mistake in bank.mistakes if words in mistake.title]

    def require_rejected(self, check: str, words: str) -> None:
        """Require that a check's question has mistakes of such a title, and that it rejects them.

        A check that needs a GPU was tried on none.
        """
        known = [mistake.label for mistake in self.known_mistakes(check, words)]
        assert known, f"no mistake of {self.checks[check].question} says {words!r}"
        if self.checks[check].device != "cuda":
            assert set(known) & set(self.proof_of(check).rejects), f"{check} accepts {known}"

    def results(
        self, check: str, values: Mapping[str, Any], secret: bytes = SECRETS[0]
    ) -> dict[str, CaseResult]:
        """Return the result of each case of a check, by name, with some names replaced."""
        found = run_variant(self.checks[check], values, self.compiled.oracle, secret)
        return {result.name: result for result in found}

    def missed(
        self, check: str, values: Mapping[str, Any], secrets: Iterable[bytes] = SECRETS
    ) -> set[str]:
        """Return the cases that do not pass under one of some secrets."""
        return {
            name
            for secret in secrets
            for name, result in self.results(check, values, secret).items()
            if result.verdict is not Verdict.PASSED
        }

    def earning(
        self, check: str, values: Mapping[str, Any], secrets: Iterable[bytes] = SECRETS[:1]
    ) -> set[str]:
        """Return the cases that earn something, or break, under one of some secrets.

        Where all depend on all, those of a check that passes; likewise of one that draws its
        inputs, those of one that passes typical ones: these are run first, and alone if they fail.
        """
        found = set()
        one = self.checks[check]
        first = tuple(c for c in one.cases if c.name == one.typical)
        alone = replace(one, written=first, domain=None)
        for secret in secrets:
            if first:
                (typical,) = run_variant(alone, values, self.compiled.oracle, secret)
                if typical.verdict not in (Verdict.PASSED, Verdict.BROKEN):
                    continue
            results = self.results(check, values, secret).values()
            passed = {r.name for r in results if r.verdict is Verdict.PASSED}
            if len(passed) == len(results) or not one.all_or_nothing:
                found |= passed if one.typical in (None, *passed) else set()
            found |= {r.name for r in results if r.verdict is Verdict.BROKEN}
        return found
