"""What the sessions of a notebook and of its tests are asked to run, as the text of helpers."""

__all__ = ["ANSWER", "RUN"]

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
