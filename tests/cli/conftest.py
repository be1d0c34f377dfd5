"""The small course, for the tests of this folder."""

from tests.small_course import small_proof, write_proven_course

__all__ = ["small_proof", "write_proven_course"]
