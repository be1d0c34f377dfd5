"""Asked: what a check gets from a student, and which of its own arguments it never reads."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking.variants import SEEDS, run_perturbed
from autograder.audit.mutation.variations import leaves
from autograder.authoring.bank import Bank
from autograder.authoring.checks import Check
from autograder.authoring.kinds import Noted, noting_kinds
from autograder.authoring.standard import Compared
from autograder.authoring.subject import Helper
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["Heard", "heard_in_a_run", "told_apart", "unused_parameters"]


@dataclass(frozen=True)
class Heard:
    """What a check asks for as it runs: some names are put together then.

    Attributes:
        asked: the names that it gets from a student.
        told: texts that it hands to a helper, which may get what is called so.
        kinds: of the questions that it asks.
        compared: the numbers of the reference, with themselves.
    """

    asked: Set[str]
    told: Set[str]
    kinds: Sequence[Noted]
    compared: Sequence[Compared]


def heard_in_a_run(check: Check, oracle: Oracle) -> Heard:
    """Return what a check asks for under the first seed."""
    session = _Listening(oracle.namespace)
    with noting_kinds() as kinds:
        runs = run_perturbed(check, session, oracle, SEEDS[0])
    compared = [one for _, some in runs for one in some]
    return Heard(session.asked, session.told, kinds, compared)


class _Listening(InProcessSession):
    """The reference, which notes the names that it is asked for."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.asked: set[str] = set()
        self.told: set[str] = set()

    def get(self, name: str) -> Any:
        self.asked.add(name)
        return super().get(name)

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.told |= {leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, str)}
        return super().apply(helper, args, kwargs)


def told_apart(bank: Bank, elsewhere: Set[str]) -> tuple[Bank, Bank]:
    """Return those of a bank that a check may tell from the reference, and those that it cannot.

    Args:
        bank: of its question.
        elsewhere: names that other checks ask for, and it does not.
    """

    def some(are_elsewhere: bool) -> Bank:
        kept = (
            tuple(v for v in kind if (v.values.keys() <= elsewhere) == are_elsewhere)
            for kind in (bank.mistakes, bank.alternatives)
        )
        return Bank(*kept)

    return some(False), some(True)


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
