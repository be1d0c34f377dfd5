"""Git: a folder of clones, or a list of them; what is committed at HEAD counts.

Nothing is checked out and nothing is fetched: no hook, filter, helper or transport runs. A clone
comes from a student, its configuration too, so git is asked in its plainest words only. A line of a
list is ``<folder>`` or ``<student> <folder>``, relative to the list.
"""

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from autograder.collecting.folders import person
from autograder.collecting.found import Found, Notes, Source
from autograder.collecting.trees import JUNK, OF_CLASS, OF_STUDENT, Member, Refused, tree_of
from autograder.errors import UsageError

__all__ = ["read", "recognises"]

SECONDS = 60  # that one question may take
MOST_LISTED = 16 << 20  # bytes of the list of a commit's files
PLAIN_FILES = ("100644", "100755")
MOST_ENTRIES = 200_000  # files and folders of a repository
COMMITTER = re.compile(rb"^committer .* (\d{1,12}) [+-]\d{4}$", re.MULTILINE)
HOOKS = "hooks"  # where links are usual, and which git is told to pass over
ELSEWHERE = ("commondir", "objects/info/alternates")  # by which a clone reads another's files
SETTINGS = ("protocol.allow=never", "core.hooksPath=/dev/null", "core.fsmonitor=false")
ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def recognises(source: Source) -> bool:
    """Whether most folders in a folder are clones."""
    if not source.path.is_dir():
        return False
    folders = [folder for _, folder in _clones(source.path)]
    return sum(_repository(folder) is not None for folder in folders) > len(folders) / 2


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield what each clone has at HEAD; its time is the committer's, who may have set it."""
    for student, folder in _clones(source.path):
        repository = _repository(folder)
        if repository is None:
            notes.strays.append(folder.name)
            continue
        place = f"{source.name}, {folder.name}"
        try:
            yield _found(student, repository, place, source.assignments)
        except Refused as error:
            notes.refused.append(str(error))


def _clones(path: Path) -> Iterator[tuple[str, Path]]:
    """Give the student and the folder of each clone."""
    if path.is_dir():
        for folder in sorted(path.iterdir()):
            if folder.is_dir() and not folder.is_symlink() and not JUNK.match(folder.name):
                yield folder.name.removesuffix(".git"), folder
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no list of clones: {error}") from None
    for line in lines:
        words = line.split(maxsplit=1)
        if words and not line.startswith("#"):
            folder = path.parent / words[-1].strip()
            yield (words[0] if len(words) == 2 else folder.name.removesuffix(".git")), folder


def _repository(folder: Path) -> Path | None:
    """Return where a clone's objects are: bare or with a working tree, and no link elsewhere."""
    for place in (folder / ".git", folder):
        if place.is_symlink() or not (place / "HEAD").is_file():
            continue
        if (place / "objects").is_dir() and (place / "refs").is_dir():
            return place
    return None


def _found(student: str, repository: Path, place: str, assignments: frozenset[str]) -> Found:
    for name in ELSEWHERE:
        if os.path.lexists(repository / name):
            raise Refused(place, f"reads another's files (by {name})")
    _require_no_link(repository, place)
    commit = _git(repository, place, ["cat-file", "commit", "HEAD"], MOST_LISTED)
    match = COMMITTER.search(commit.partition(b"\n\n")[0])
    try:
        seconds = int(match[1]) if match else None
        time = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        time = None
    listed = _git(repository, place, ["ls-tree", "-r", "-z", "--full-tree", "HEAD"], MOST_LISTED)
    entries = []
    for line in listed.decode("utf-8", "surrogateescape").split("\0"):
        about, _, name = line.partition("\t")
        words = about.split()
        if len(words) == 3 and words[0] in PLAIN_FILES and _is_work(name, assignments):
            entries.append((name, _Blob(repository, words[2], f"{place}, {name}")))
    if len(entries) > OF_STUDENT.members:
        raise Refused(place, f"has more than {OF_STUDENT.members} files")
    tree = tree_of(place, entries, (), OF_CLASS)
    files: tuple[Member, ...] = tree.members
    return Found(person(student), place, files, time=time and time.replace(tzinfo=None))


def _require_no_link(repository: Path, place: str) -> None:
    """Look for links in a repository: git follows them, into another's refs and objects, too.

    Raises:
        Refused: there is one, or too much to look through.
    """
    pending, count = [repository], 0
    try:
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_symlink():
                        raise Refused(place, "reads another's files (by a link)")
                    if count > MOST_ENTRIES:
                        raise Refused(place, f"has more than {MOST_ENTRIES} files (git gc helps)")
                    path = Path(entry.path)
                    if entry.is_dir(follow_symlinks=False) and path != repository / HOOKS:
                        pending.append(path)
    except OSError as error:
        raise Refused(place, f"cannot be read: {error.strerror}") from None


def _is_work(name: str, assignments: frozenset[str]) -> bool:
    """Whether a file may belong to a submission: a notebook, or in an assignment's folder."""
    return name.lower().endswith(".ipynb") or not assignments.isdisjoint(name.split("/")[:-1])


class _Blob:
    """Reads a file of a commit."""

    def __init__(self, repository: Path, digest: str, place: str) -> None:
        self.repository, self.digest, self.place = repository, digest, place

    def __call__(self) -> bytes:
        ask = ["cat-file", "blob", self.digest]
        return _git(self.repository, self.place, ask, OF_CLASS.member)


def _git(repository: Path, place: str, ask: Sequence[str], most: int) -> bytes:
    """Return what git answers, if it is not more than so many bytes.

    Raises:
        Refused: it is more, takes too long, or git finds no answer.
    """
    settings = [*SETTINGS, f"safe.directory={repository.absolute()}"]
    options = [part for setting in settings for part in ("-c", setting)]
    command = ["git", *options, f"--git-dir={repository.absolute()}", *ask]
    environment = {**ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull}
    try:
        done = subprocess.Popen(
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise UsageError("git is not installed, which reads the clones") from None
    return _answer(done, place, most)


def _answer(process: "subprocess.Popen[bytes]", place: str, most: int) -> bytes:
    """Return what a process prints; it is ended when that is too much, or takes too long."""
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        with process:
            assert process.stdout is not None  # it is a pipe
            data = process.stdout.read(most + 1)
            if len(data) > most:
                process.kill()
    finally:
        timer.cancel()
    if len(data) > most:
        raise Refused(place, f"has more than {most >> 20} MB")
    if process.returncode:
        raise Refused(place, "is empty or damaged: git cannot read it at HEAD")
    return data
