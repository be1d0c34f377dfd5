"""A session whose own process answers, where what is asked is to be seen by the cells below."""

from collections.abc import Sequence
from functools import partial

from autograder.errors import StudentKilled, StudentTimeout
from autograder.sandbox.client.cell_runs import why_missing
from autograder.sandbox.client.check_session import CheckSession
from autograder.sandbox.client.session import NotebookSession
from autograder.sandbox.protocol.kinds import Give, Value

__all__ = ["UnforkedSession"]


class UnforkedSession(NotebookSession):
    """A session that ran a notebook, and answers in its place between two cells.

    Attributes:
        began: how often a process was begun for it: what was asked of one, another has not done.
    """

    began = 0
    _given_at: tuple[int, int] | None = None  # in which process, behind how many cells

    def _open(self) -> None:
        self.began += 1
        super()._open()

    def itself(self, seconds: float, given: Sequence[str] = ()) -> CheckSession:
        """Return the session as it is now; what is asked of it stays done for the cells below.

        Args:
            seconds: the limit on one call.
            given: names by which it calls back, whatever its cells have made of them.

        Raises:
            StudentError: the submission's time is used up, or the session has ended.
        """
        if self._channel is None:
            self._open()
        if self._channel is None:
            raise StudentTimeout("the submission ran out of its time")
        self._fresh, self._waited = False, 0.0
        call = partial(self._call, self._channel)
        explain = partial(why_missing, cells=self._cells, runs=self.runs)
        session = CheckSession(call, seconds, explain, self._fork_server.in_use)
        if given and self._given_at != (self.began, self._upto):
            if not isinstance(session.exchange(Give(list(given))), Value):
                raise StudentKilled("the session answered out of turn")
            self._given_at = self.began, self._upto
        return session

    def give_up(self) -> None:
        """End a session that does not come back from what it was asked.

        The next cells run in another, in which nothing has been asked.
        """
        self._clear_away(by_itself=True)
