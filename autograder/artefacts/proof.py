"""The proof of an assignment: what its audit showed, kept in a file that travels with it.

`assignments/<name>/proof.json` has an entry for each check, under the key of all that it hangs on
(`autograder.audit.keys`), and one for each definition of the answers, of which mutants were made.
A check whose key stands is not proven again, on any machine. The file is sorted and has neither
times nor paths of a machine in it, so that a review reads what a change did to it.
"""

from dataclasses import replace
from pathlib import Path

import msgspec

from autograder.artefacts.gaps import Figures, Gaps, gaps_from
from autograder.authoring.standard import Standard
from autograder.course import Course
from autograder.errors import SourceError, naming

__all__ = [
    "CheckProof",
    "DefinitionProof",
    "Draw",
    "Proof",
    "Survivor",
    "proof_file",
    "read_proof",
    "write_proof",
]

FILE = "proof.json"
SCHEMA = 3


class Survivor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A mutant that differs from the reference and that no check rejects.

    Attributes:
        number: among the definition's mutants.
        line: of the module or the cell, from 1.
        operator: the class of the mistake.
        before: the lines that it changes, as one.
        after: the same with the mistake.
        difference: an input on which it differs.
        reason: what the reference says of it, in a comment ``# survives: …``.
        case: one that it would fail, as an author writes it, if one was found.
    """

    number: int
    line: int
    operator: str
    before: str
    after: str
    difference: str
    reason: str | None = None
    case: str | None = None


class DefinitionProof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of the mutants of one definition of the answers.

    Attributes:
        names: what a student is asked for that it decides.
        killed: how many a check rejected first, by the check and the class of the mistake.
        equivalent: how many no trial tells from the reference.
        survivors: those that differ and that no check rejects.
        known: some that diagnoses can name: their numbers among the definition's, by title.
        gaps: by check, from which tolerances on those that it rejected would pass.
        nearest: by check, the one that is least far off.
        derived: the mistakes of the bank, by label, that are written out and equal one of them,
            as what it changes.
    """

    names: tuple[str, ...]
    killed: dict[str, dict[str, int]] = {}
    equivalent: int = 0
    survivors: tuple[Survivor, ...] = ()
    known: dict[str, list[int]] = {}
    gaps: dict[str, Figures] = {}
    nearest: dict[str, str] = {}
    derived: dict[str, str] = {}

    @property
    def kills(self) -> int:
        """How many mutants some check rejected."""
        return sum(sum(kinds.values()) for kinds in self.killed.values())


class Draw(msgspec.Struct, frozen=True):
    """A draw of a domain that the audit has made a case of.

    Attributes:
        name: the case's.
        kinds: of each factor.
        rejects: what passes all other cases, and not this one.
    """

    name: str
    kinds: dict[str, str]
    rejects: tuple[str, ...]


class CheckProof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was tried against one check, and what held.

    Attributes:
        key: of all that this hangs on.
        tolerance: how strictly it compares numbers: what of its `Standard` is not the default.
        gaps: between right answers and the wrong ones that were tried on it, but mutants.
        own_right: what right answers reach of the tolerances that it gives itself.
        by_default: whether it compares by a default tolerance at all.
        nearest: the wrong answer that is least far off.
        rejects: the mistakes of its question that it rejects, by label.
        passes: how many cases such a mistake passes all the same, by label, if some.
        astray: such mistakes that fail the check's typical case, which earns nothing.
        accepts: how many alternatives pass.
        null_models: how many were tried; it rejects all but those that `free` has with every case.
        free: cases that null models pass, by the model.
        notes: what else an author should know.
        draws: the cases that its domain has for what no other case rejects.
        devices: on which all this was tried. A check that needs a GPU was tried nowhere as long as
            ``cuda`` is not among them.
    """

    key: str
    tolerance: dict[str, float] = {}
    gaps: Figures = {}
    own_right: float = 0.0
    by_default: bool = False
    nearest: str | None = None
    rejects: tuple[str, ...] = ()
    passes: dict[str, int] = {}
    astray: tuple[str, ...] = ()
    accepts: int = 0
    null_models: int = 0
    free: dict[str, list[str]] = {}
    notes: tuple[str, ...] = ()
    draws: tuple[Draw, ...] = ()
    devices: tuple[str, ...] = ("cpu",)

    @property
    def standard(self) -> Standard:
        """How strictly it compares numbers."""
        return replace(Standard(), **self.tolerance)

    def holding_to(self, standard: Standard) -> "CheckProof":
        """Return the same with another standard."""
        default = vars(Standard())
        other = {name: one for name, one in vars(standard).items() if one != default[name]}
        return msgspec.structs.replace(self, tolerance=other)


class _OfSomeSchema(msgspec.Struct):
    schema: int


class Proof(msgspec.Struct, frozen=True):
    """The proof of an assignment: by check, and by definition (``reference/x.py: name``).

    ``accepted`` is the key of a solution that earned everything in a session, and of a blank
    release that earned nothing; empty where that was not seen.
    """

    checks: dict[str, CheckProof] = {}
    definitions: dict[str, DefinitionProof] = {}
    accepted: str = ""
    schema: int = SCHEMA

    def standards(self) -> dict[str, Standard]:
        """Return how strictly each check compares numbers."""
        return {name: check.standard for name, check in self.checks.items()}

    def rejects(self) -> dict[str, tuple[str, ...]]:
        """Return which mistakes each check rejects, by label."""
        return {name: check.rejects for name, check in self.checks.items()}

    def draws(self) -> dict[str, list[dict[str, str]]]:
        """Return the kinds of the cases that were added to checks, by check."""
        return {n: [draw.kinds for draw in one.draws] for n, one in self.checks.items()}

    def gaps_of(self, check: str) -> Gaps:
        """Return the gaps of a check, among mutants too."""
        gaps = gaps_from(self.checks[check].gaps)
        for definition in self.definitions.values():
            if check in definition.gaps:
                gaps = gaps.with_wrong(gaps_from(definition.gaps[check]))
        return gaps

    def nearest_to(self, check: str) -> str | None:
        """Return the wrong answer that is least far from passing a check."""
        own = self.checks[check]
        nearest, least = own.nearest, gaps_from(own.gaps).within(Standard()).wrong
        for definition in self.definitions.values():
            wrong = gaps_from(definition.gaps.get(check, {})).within(Standard()).wrong
            if wrong < least:
                nearest, least = definition.nearest.get(check), wrong
        return nearest


def proof_file(course: Course, name: str) -> Path:
    """Return where the proof of an assignment lies."""
    return course.source(name).parent / FILE


def read_proof(course: Course, name: str) -> Proof | None:
    """Return the proof of an assignment; None if there is none, or one of another schema.

    Raises:
        SourceError: the file is damaged.
    """
    path = proof_file(course, name)
    try:
        with naming(path):
            data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        if msgspec.json.decode(data, type=_OfSomeSchema).schema != SCHEMA:
            return None
        return msgspec.json.decode(data, type=Proof)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"it is no proof ({error}); take the last good one, or delete it and compile again",
            course.relative(path),
        ) from None


def write_proof(course: Course, name: str, proof: Proof) -> None:
    """Write the proof of an assignment, if it says anything new."""
    path = proof_file(course, name)
    text = msgspec.json.format(msgspec.json.encode(proof, order="deterministic"), indent=1) + b"\n"
    with naming(path):
        if not path.is_file() or path.read_bytes() != text:
            new = path.with_name(f".{FILE}.new")  # whole, whenever this process is ended
            new.write_bytes(text)
            new.replace(path)
