"""What the sessions of a notebook and of its tests are asked: helpers as text, and a request."""

from collections.abc import Sequence
from typing import Any

__all__ = ["ANSWER", "RUN", "names_request"]

RUN = """
def run(notebook, *asked):
    from autograder.foreign.inside.testing import run_tests

    return run_tests(vars(notebook), *asked)
"""
ANSWER = """
def answer(notebook, request):
    from autograder.foreign.inside.answering import answer

    return answer(vars(notebook), request)
"""


def names_request(names: Sequence[str]) -> dict[str, Any]:
    """Return the request to the student's side for what names mean now."""
    return {"say": "ask", "op": "names", "on": 0, "with": (list(names),), "named": {}}
