"""What the system refuses is said in one sentence: what, where, and what to do."""

import errno
import os

import pytest

from autograder.errors import HarnessError, stops_all, system_words


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
