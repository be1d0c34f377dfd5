"""The small course, for the tests of this folder."""

from autograder.compiler.build import build
from autograder.course import Course
from autograder.grading.bundle import Bundle, parse_bundle
from autograder.grading.oracle import Oracle, load_bundle_oracle
from tests.small_course import write_course

__all__ = ["loaded", "write_course"]


def loaded(course: Course) -> tuple[Bundle, Oracle]:
    """Return a course's small assignment as a grader has it."""
    bundle = parse_bundle(build(course, "small").bundle, "small")
    return bundle, load_bundle_oracle(bundle)
