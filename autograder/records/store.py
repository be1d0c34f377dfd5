"""The store: every grading run is appended, none is edited, and the newest is at hand."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from itertools import chain, count, takewhile
from pathlib import Path

from autograder.artefacts.results import (
    Completed,
    Result,
    Status,
    Verdict,
    dump_result,
    is_final,
    load_result,
)
from autograder.course import LONGEST_NAME
from autograder.errors import HarnessError, UsageError
from autograder.records.whole_files import (
    clean_temporary,
    make_folder,
    sync_folder,
    temporary,
    write_atomic,
)
from autograder.sandbox.limits import Limits
from autograder.visible import visible

__all__ = ["Store", "submission_key"]

KEY = re.compile(r"[0-9a-f]{64}")


class Store:
    """The results of one assignment.

    ::

        results/<assignment>/
          <student>.json                   the newest result
          history/<student>/<key>.json     each run, under the key of what it graded
          history/<student>/<key>.2.json   the same once more, after one that did not stand

    Args:
        folder: ``results/<assignment>``; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for place in (folder, *folder.glob("history/*/")):
            clean_temporary(place)

    def get(self, student: str, key: str) -> Result | None:
        """Return the result stored under a key, the last of them, or None.

        The newest file is put right when it is missing or is not this result: its writer was
        killed between the two writes, or another attempt was graded since.

        Raises:
            UsageError: the student's name or the key cannot be one.
            HarnessError: the stored file is damaged.
            OSError: it cannot be read, or the newest file not written.
        """
        if (last := self._last(student, key)) is None:
            return None
        result = self._read(last, student)
        self._show(student, last.read_bytes())
        return result

    def times(self, student: str, key: str) -> int:
        """Return how many results lie under a key: more than one where some did not stand.

        Raises:
            UsageError: the student's name or the key cannot be one.
        """
        return sum(1 for _ in takewhile(Path.exists, self._runs(student, key)))

    def find(self, student: str, key: str) -> Result | None:
        """Return the same as `get` and write nothing.

        Raises:
            UsageError: the student's name or the key cannot be one.
            HarnessError: the stored file is damaged.
            OSError: it cannot be read.
        """
        last = self._last(student, key)
        return None if last is None else self._read(last, student)

    def put(self, student: str, key: str, result: Result, *, show: bool = True) -> Result:
        """Append a result and return what is stored under its key: the first writer's.

        After a result that does not stand a different one is appended under the same key.

        Args:
            student: whose it is.
            key: of what was graded.
            result: that is appended.
            show: make it the newest; an earlier attempt's is none.

        Raises:
            UsageError: the student's name or the key cannot be one, or the result is another's.
            HarnessError: a file stored under the key is damaged.
        """
        if result.student != student:
            raise UsageError(f"the result of {result.student!r} cannot be stored as {student!r}'s")
        runs = self._runs(student, key)
        data = dump_result(result)
        while True:
            path = next(runs)
            if _append(path, data):
                if show:
                    self._show(student, data)
                return result
            stored = self._read(path, student)
            if stored == result or is_final(stored):
                if show:
                    self._show(student, path.read_bytes())
                return stored

    def shown(self, student: str) -> Result:
        """Return the newest result of a student.

        Raises:
            HarnessError: there is none, or it is damaged.
        """
        return self._read(self.folder / f"{student}.json", student)

    def history(self, student: str) -> list[Result]:
        """Return all results of a student, in the order in which they were made.

        Raises:
            UsageError: the student's name cannot be one.
            HarnessError: a stored file is damaged.
        """
        folder = self.folder / "history" / _student_name(student)
        found = [(self._read(path, student), len(path.name)) for path in self._files(folder)]
        return [result for result, _ in sorted(found, key=_in_order)]

    def attempts(self, student: str) -> list[tuple[str, Result]]:
        """Return the newest result of each of a student's submissions, as they were first graded.

        Returns:
            When each was first graded, and its newest result. A run that lacks hardware, or a trial
            without walls, takes the place of none that had more.

        Raises:
            UsageError: the student's name cannot be one.
            HarnessError: a stored file is damaged.
        """
        found: dict[str, tuple[str, Result]] = {}
        for result in self.history(student):
            first, shown = found.get(result.submission, (result.graded_at, result))
            trial = (
                Status.UNGRADED in (shown.status, result.status) and shown.status != result.status
            )
            kept = result.status is Status.UNGRADED if trial else _waits_longer(shown, result)
            found[result.submission] = (first, shown if kept else result)
        return list(found.values())

    def forget(self, student: str) -> int:
        """Remove all results of a student, and return how many there were."""
        folder = self.folder / "history" / _student_name(student)
        count = len(self._files(folder))
        shutil.rmtree(folder, ignore_errors=True)
        (self.folder / f"{student}.json").unlink(missing_ok=True)
        return count

    def newest(self, damaged: dict[str, str] | None = None) -> dict[str, Result]:
        """Return the newest result of each student, sorted by name.

        Args:
            damaged: is given what is wrong with a file that is none, by its student; the others
                are returned. Without it, that raises.

        Raises:
            HarnessError: a file is damaged.
            OSError: the folder cannot be read.
        """
        found = {}
        for path in self._files(self.folder):
            student = path.name.removesuffix(".json")
            try:
                found[student] = self._read(path, student)
            except HarnessError as error:
                if damaged is None:
                    raise
                damaged[student] = str(error)
        return found

    def students(self) -> list[str]:
        """Return the students who have results, as they are written here."""
        return [path.name.removesuffix(".json") for path in self._files(self.folder)]

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        """Return the results in a folder, sorted; glob takes one that it may not read as empty."""
        try:
            return sorted(path for path in folder.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return []

    def _runs(self, student: str, key: str) -> Iterator[Path]:
        if not KEY.fullmatch(key):
            raise UsageError(f"a key is 64 hexadecimal digits, not {key!r}")
        folder = self.folder / "history" / _student_name(student)
        return chain([folder / f"{key}.json"], (folder / f"{key}.{n}.json" for n in count(2)))

    def _last(self, student: str, key: str) -> Path | None:
        stored = list(takewhile(Path.exists, self._runs(student, key)))
        return stored[-1] if stored else None

    def _show(self, student: str, data: bytes) -> None:
        """Make a result the newest, unless it lacks hardware that the one shown had."""
        newest = self.folder / f"{student}.json"
        if newest.is_file():
            shown = newest.read_bytes()
            if shown == data or _completes(shown, data):
                return
        write_atomic(newest, data)

    def _read(self, path: Path, student: str) -> Result:
        """Read a result; what is wrong with its file is said with what to do."""
        try:
            if not path.is_file():  # a pipe would be waited for
                raise HarnessError("it is no file")
            result = load_result(path.read_bytes())
            if result.student != student:
                raise HarnessError(f"it is that of {result.student!r}")
        except OSError as error:
            raise HarnessError(f"{self._name(path)} cannot be read: {error.strerror}") from None
        except HarnessError as error:
            raise HarnessError(
                f"the stored result {self._name(path)} is damaged: {error}; put it back from a "
                "backup, or move it away and grade again"
            ) from None
        return result

    def _name(self, path: Path) -> str:
        """Return a path as messages show it: relative to the course."""
        return visible(str(path.relative_to(self.folder.parents[1])))


def _in_order(found: tuple[Result, int]) -> tuple[str, bool, int]:
    """Say what a result comes behind: in one second, what it completes, then a shorter name."""
    result, length = found
    return result.graded_at, isinstance(result.completes, Completed), length


def _completes(shown: bytes, new: bytes) -> bool:
    """Return whether a result has what another of the same attempt waits for: a run on a GPU."""
    try:
        one, other = load_result(shown), load_result(new)
    except HarnessError:  # the one that is shown is damaged
        return False
    return one.submission == other.submission and _waits_longer(one, other)


def _waits_longer(shown: Result, new: Result) -> bool:
    """Return whether a new result of an attempt lacks hardware, by the same checks.

    A run that broke, or a trial without walls, has nothing pending because it decided nothing; one
    that broke while it completed another holds what that had decided.
    """
    completes = isinstance(shown.completes, Completed) and shown.status is not Status.UNGRADED
    if not (is_final(shown) or completes):
        return False
    shown_waits, new_waits = (r.verdicts.count(Verdict.PENDING) for r in (shown, new))
    return shown.bundle == new.bundle and new_waits > shown_waits


def submission_key(
    submission: str, bundle: str, version: str, limits: Limits, device: str, secret_id: str
) -> str:
    """Return the key of a grading run: the same exactly when nothing that decides it changed."""
    parts = [submission, bundle, version, limits.deciding(device), device, secret_id]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _append(path: Path, data: bytes) -> bool:
    """Store data at a path unless something is there already; of two writers one wins."""
    make_folder(path.parent)
    with temporary(path.parent, data) as new:
        try:
            os.link(new, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


def _student_name(name: str) -> str:
    """Return a name that is safe as one part of a path, whatever else it holds.

    Raises:
        UsageError: it is none.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise UsageError(f"the student's name {name!r} is not UTF-8") from None
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise UsageError(f"a student's name is one folder's name, not {name!r}")
    if length > LONGEST_NAME:
        raise UsageError(f"the student's name {name!r} is longer than {LONGEST_NAME} bytes")
    return name
