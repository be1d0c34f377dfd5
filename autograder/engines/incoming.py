"""Incoming: what arrives in nbgrader's exchange is collected when it is whole."""

import time
from collections.abc import Callable
from pathlib import Path

from autograder.collecting.collect import collect
from autograder.collecting.exchange import inbound_of
from autograder.course import Course
from autograder.engines.arrivals import Arrivals, looks_of_exchange
from autograder.engines.problems import Problem, fault_words
from autograder.errors import UsageError, stops_all
from autograder.visible import visible

__all__ = ["Incoming"]


class Incoming:
    """What arrives in an exchange.

    Attributes:
        looking: seconds that the last look took.

    Args:
        exchange: nbgrader's, a course in it, or ``inbound``.
        tell: is told what was collected, and whether the exchange can be read.
        attempts: what has arrived there.
    """

    def __init__(
        self, exchange: Path, tell: Callable[[str], None], attempts: Arrivals[str] | None = None
    ) -> None:
        self._exchange, self._tell = exchange, tell
        self._attempts = Arrivals[str]() if attempts is None else attempts
        self.looking = 0.0
        self._away: str | None = None  # why it could not be read last

    @property
    def is_growing(self) -> bool:
        """Whether something there is not whole yet that may be soon."""
        return bool(self._attempts.growing() - self._attempts.restless())

    @property
    def problem(self) -> Problem | None:
        """Why the exchange cannot be read, if it cannot."""
        return None if self._away is None else Problem(self._away)

    def collect(self, course: Course, everything: bool = False) -> list[Problem]:
        """Bring in what is new and whole, and return what somebody must look at.

        Args:
            course: to which it goes.
            everything: look into attempts that were collected, too: they may have been changed.
        """
        began = time.monotonic()
        try:
            inbound = inbound_of(self._exchange)
            known = {} if everything else self._attempts.finished()
            self._attempts.look(looks_of_exchange(inbound, known))
            self.looking = time.monotonic() - began
        except (UsageError, OSError) as error:
            said = f"the exchange cannot be read, and is looked at again: {fault_words(error)}"
            if self._away is None:
                self._tell(f"needs attention: {said}")
            self._away = said
            return []
        if self._away is not None:
            self._tell("the exchange can be read again")
            self._away = None
        problems = [
            Problem(f"{visible(name)} is still written to, and is collected when that ends")
            for name in self._attempts.restless()
        ]
        if whole := self._attempts.whole():
            try:
                report = collect(course, [inbound], form="exchange", only=whole)
            except Exception as error:  # such as a roster that is wrong: what is there is graded
                if stops_all(error):
                    raise
                said = f"nothing is collected from {inbound}: {fault_words(error)}"
                return [*problems, Problem(said)]
            self._attempts.done(whole)
            self._tell(f"{inbound}: {len(whole)} new, {len(report.taken)} taken")
            problems += [Problem(course.in_words(said)) for said in report.problems()]
        return problems
