"""The small course, for the tests of this folder."""

from tests.small_course import write_course

__all__ = ["write_course"]
