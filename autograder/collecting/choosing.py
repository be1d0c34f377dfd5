"""Choosing: which of the files that a student submitted is the notebook, and what goes with it."""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.collecting.archives import is_archive, open_nested, stem
from autograder.collecting.found import Found
from autograder.collecting.trees import Member, Refused
from autograder.course import TIMESTAMP
from autograder.records.handed_back import SECRET
from autograder.visible import STEERING, visible

__all__ = ["Content", "choose"]

# What browsers and learning platforms put behind a name that they have had already.
AGAIN = re.compile(r"(?:[ _-]*\(\d+\)|-\d+|[ _-]copy(?:[ _-]*\d+)?)+$", re.IGNORECASE)
RESERVED = (TIMESTAMP, SECRET)  # a student's own file of that name would pass for a source's word
MOST_OTHERS = 100
OTHER_BYTES = 8 << 20  # of one file beside the notebook
OTHERS_BYTES = 64 << 20  # of all of them
MOST_TOLD = 5


@dataclass(frozen=True)
class Content:
    """What is taken of a submission.

    Attributes:
        notebook: its bytes, as they are.
        name: the notebook's name in the source.
        others: the files beside it, by their path from its folder.
        left_out: names of files that are not taken, because they are too large or too many.
    """

    notebook: bytes
    name: str
    others: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()


def choose(found: Found, assignment: str) -> Content:
    """Return what is taken of a submission: the notebook and the small files beside it.

    Raises:
        Refused: there is no notebook, or nobody knows which; or it cannot be read.
    """
    with ExitStack() as stack:
        files: Sequence[Member] = found.files
        archives = [file for file in files if is_archive(file.name)]
        if archives and not any(map(_is_notebook, files)):
            files = _inside(archives, found.place, stack)
        notebook = _notebook(files, assignment, found.place)
        data = notebook.read()
        others, left_out = _others(files, notebook)
        others.update({member.name: member.read() for member in found.keeps})
    return Content(data, notebook.name, others, left_out)


def _inside(archives: Sequence[Member], place: str, stack: ExitStack) -> Sequence[Member]:
    """Return the files of the newest archive that a student submitted in place of a notebook."""
    order = max(file.order for file in archives)
    newest, *more = (file for file in archives if file.order == order)
    if more:
        raise Refused(place, f"has no notebook, and several archives{_told(archives)}")
    name = f"{place}, {newest.name}"
    tree = open_nested(newest.read(), name, stack)
    if tree.refused:
        raise Refused(name, f"is not taken: {tree.refused[0].removeprefix(visible(name) + ', ')}")
    return tree.members


def _notebook(files: Sequence[Member], assignment: str, place: str) -> Member:
    """Return the notebook: called as the assignment, the newest of those, or the only one."""
    notebooks = [file for file in files if _is_notebook(file)]
    if not notebooks:
        raise Refused(place, f"has no notebook{_told(files)}")
    named = [file for file in notebooks if _plain(file.name) == _plain(assignment)]
    if not named:
        if len(notebooks) > 1:
            said = f"has {len(notebooks)} notebooks, none of them called {assignment}.ipynb"
            raise Refused(place, said + _told(notebooks))
        return notebooks[0]
    exact = f"{assignment}.ipynb"
    ranks = [(f.order, PurePosixPath(f.name).name == exact, -f.name.count("/")) for f in named]
    best = [file for file, rank in zip(named, ranks, strict=True) if rank == max(ranks)]
    if len(best) > 1:
        raise Refused(place, f"has several notebooks for {assignment}{_told(best)}")
    return best[0]


def _others(files: Sequence[Member], notebook: Member) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the files in the notebook's folder and below, and the names of those left out."""
    folder = notebook.name.rpartition("/")[0]
    start = f"{folder}/" if folder else ""
    others: dict[str, bytes] = {}
    left_out = []
    total = 0
    folders = {str(p) for f in files for p in PurePosixPath(f.name.removeprefix(start)).parents}
    for file in files:
        name = file.name.removeprefix(start)
        if file is notebook or not file.name.startswith(start) or name in RESERVED:
            continue
        try:
            data = file.read() if len(others) < MOST_OTHERS else None
        except Refused:
            data = None
        fits = data is not None and len(data) <= min(OTHER_BYTES, OTHERS_BYTES - total)
        if data is None or not fits or name in folders or STEERING.search(name):
            left_out.append(name)
            continue
        others[name] = data
        total += len(data)
    return others, tuple(left_out)


def _is_notebook(file: Member) -> bool:
    return file.name.lower().endswith(".ipynb")


def _plain(name: str) -> str:
    """Return a file's name without case, signs, and what a second upload adds to it."""
    bare = stem(PurePosixPath(name).name) if name.lower().endswith(".ipynb") else name
    return "".join(filter(str.isalnum, AGAIN.sub("", bare).casefold()))


def _told(files: Sequence[Member]) -> str:
    """Say which files there are; "" for none."""
    names = [visible(file.name, 80) for file in files]
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return f"; there are: {', '.join(names[:MOST_TOLD])}{more}" if names else ""
