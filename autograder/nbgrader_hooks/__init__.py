"""What nbgrader's own commands and formgrader's buttons do in a course of ours."""

from autograder.nbgrader_hooks.config import configure

__all__ = ["configure"]
