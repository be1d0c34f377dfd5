"""What the system refuses is said in one sentence: what, where, and what to do."""

import errno
import os
import pickle

import pytest

from autograder.errors import (
    CheckFailure,
    HarnessError,
    NotImplementedYet,
    StudentError,
    StudentKilled,
    Unanswered,
    stops_all,
    system_words,
)
from autograder.sandbox.client.fork_server import NoWalls
from autograder.sandbox.protocol.settings import Isolation


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CheckFailure("1, expected 2", "answer"), "answer: 1, expected 2"),
        (CheckFailure("its norm grows"), "its norm grows"),
        (Unanswered("answer"), "answer: not answered yet"),
        (StudentError("KeyError"), "KeyError"),
        (StudentKilled("no memory", "cell 2, line 3"), "no memory (cell 2, line 3)"),
        (NotImplementedYet(), "not implemented yet"),
        (NotImplementedYet("cell 2, line 3"), "not implemented yet (cell 2, line 3)"),
        (
            NoWalls({Isolation.NAMESPACES: "none", Isolation.OWN_USER: "not root"}),
            "a student's code cannot be held safely on this machine\n"
            "  isolation level namespaces: none\n  isolation level own user: not root",
        ),
    ],
)
def test_an_error_is_the_same_in_another_process(error, words):
    """A worker that raises one gives it to its run."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error) == words
    assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left", "/a"), "/a: No space left; make room there"),
        (OSError(errno.EROFS, "Read-only", "/a"), "/a: Read-only; let the user who runs this"),
        (OSError(errno.EISDIR, "Is a directory", "/tmp/x", None, "/b"), "/b: Is a directory; put"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error; put that right"),
        (OSError("odd"), "odd; put that right"),
        (OSError(), "OSError; put that right"),
    ],
)
def test_a_refusal_is_one_sentence(error, words):
    said = system_words(error)
    assert said.startswith(words)
    assert "\n" not in said
    assert "the same command again" in said


def test_a_full_disk_stops_all_and_a_folder_in_the_way_does_not():
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE):
        assert stops_all(OSError(code, os.strerror(code)))
    for code in (errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        assert not stops_all(OSError(code, os.strerror(code)))
    assert not stops_all(HarnessError("damaged"))
