"""Asked: what a check gets from a student, and which of its own arguments it never reads."""

import ast
import inspect
import textwrap
from collections.abc import Collection, Iterator
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking.variants import SEEDS, run_perturbed
from autograder.authoring.checks import Check
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["asked_in_a_run", "unused_parameters"]


def asked_in_a_run(check: Check, known: Collection[str], oracle: Oracle) -> set[str]:
    """Return the names that a check gets from a student: some are put together as it runs."""
    session = _Listening(oracle.namespace)
    run_perturbed(check, session, oracle, SEEDS[0])
    return session.asked & set(known)


class _Listening(InProcessSession):
    """The reference, which notes the names that it is asked for."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.asked: set[str] = set()

    def get(self, name: str) -> Any:
        self.asked.add(name)
        return super().get(name)


def unused_parameters(check: Check) -> Iterator[str]:
    """Complain of a case parameter that the check's body never reads."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(check.function)))
    except (OSError, SyntaxError):
        return
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    varied = {name for case in check.cases for name in case.parameters}
    varied |= set(check.domain.parts if check.domain else ())
    for name in inspect.signature(check.function).parameters:
        if name not in read and (name in varied or name == "student"):
            yield f"check {check.name}: it ignores its argument {name!r}, so that no case tests it"
