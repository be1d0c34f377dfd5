"""The small course, for the tests of this folder."""

from autograder.artefacts.compiled import Compiled
from autograder.audit.mutation.mutants import Site, sites_of
from tests.sharing import fork_servers, sharing_fork_servers
from tests.small_course import small_proof, write_course, write_proven_course

__all__ = [
    "all_sites",
    "fork_servers",
    "sharing_fork_servers",
    "small_proof",
    "write_course",
    "write_proven_course",
]


def all_sites(compiled: Compiled) -> list[Site]:
    """Return the sites of all answers of an assignment."""
    return sites_of(compiled.cells, compiled.reference, compiled.oracle)
