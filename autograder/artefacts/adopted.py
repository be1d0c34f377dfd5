"""The proof of an assignment that was adopted from another tool: what is proved, and what is not.

It is the same file, `proof.json`. What holds by the full standard stands where it always does; the
checks that let something through stand under ``adopted``, so that without that word none of them
counts as proved.
"""

import msgspec

from autograder.artefacts.proof import CheckProof, Proof, proof_file, read_proof
from autograder.course import Course
from autograder.errors import naming

__all__ = ["STANDARD", "AdoptedCheck", "AdoptedProof", "Adoption", "read_adopted"]

STANDARD = "adopted, not proved"


class AdoptedCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """A check that the full standard refuses.

    Attributes:
        proof: what was tried against it.
        lets_through: why it is refused.
        null_points: the most that an answer without work earns.
        null_model: which one.
    """

    proof: CheckProof
    lets_through: tuple[str, ...]
    null_points: float = 0.0
    null_model: str = ""


class Adoption(msgspec.Struct, frozen=True):
    """What is accepted of an assignment because it was adopted.

    Attributes:
        standard: what it is called on every page.
        checks: those that the full standard refuses.
        blank: what the blank release earns, by check; it should be nothing.
        accepted: the key of a solution that earned everything, where the blank release earned
            something.
    """

    standard: str = STANDARD
    checks: dict[str, AdoptedCheck] = {}
    blank: dict[str, float] = {}
    accepted: str = ""


class AdoptedProof(Proof, frozen=True):
    """The proof of an assignment that was adopted."""

    adopted: Adoption = Adoption()

    def joined(self) -> Proof:
        """Return the proof with all that was tried, proved or not."""
        tried = {name: one.proof for name, one in self.adopted.checks.items()}
        accepted = self.accepted or self.adopted.accepted
        return Proof({**self.checks, **tried}, self.definitions, accepted, self.schema)


def read_adopted(course: Course, name: str) -> AdoptedProof:
    """Return the proof of an assignment that was adopted; an empty one if there is none.

    Raises:
        SourceError: the file is damaged.
    """
    if read_proof(course, name) is None:
        return AdoptedProof()
    path = proof_file(course, name)
    with naming(path):
        return msgspec.json.decode(path.read_bytes(), type=AdoptedProof)
