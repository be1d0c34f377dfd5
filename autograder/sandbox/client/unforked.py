"""A session whose own process answers, where what is asked is to be seen by the cells below."""

from functools import partial

from autograder.errors import StudentTimeout
from autograder.sandbox.client.cell_runs import why_missing
from autograder.sandbox.client.check_session import CheckSession
from autograder.sandbox.client.session import NotebookSession

__all__ = ["UnforkedSession"]


class UnforkedSession(NotebookSession):
    """A session that ran a notebook, and answers in its place between two cells.

    Attributes:
        began: how often a process was begun for it: what was asked of one, another has not done.
    """

    began = 0

    def _open(self) -> None:
        self.began += 1
        super()._open()

    def itself(self, seconds: float) -> CheckSession:
        """Return the session as it is now; what is asked of it stays done for the cells below.

        Args:
            seconds: the limit on one call.

        Raises:
            StudentTimeout: the submission's time is used up.
        """
        if self._channel is None:
            self._open()
        if self._channel is None:
            raise StudentTimeout("the submission ran out of its time")
        self._fresh, self._waited = False, 0.0
        call = partial(self._call, self._channel)
        explain = partial(why_missing, cells=self._cells, runs=self.runs)
        return CheckSession(call, seconds, explain, self._fork_server.in_use)

    def give_up(self) -> None:
        """End a session that does not come back from what it was asked.

        The next cells run in another, in which nothing has been asked.
        """
        self._clear_away(by_itself=True)
