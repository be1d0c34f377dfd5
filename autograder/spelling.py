"""Spelling: how names are written that are the same to a reader, and which writing counts.

An accent is a letter's, or a mark of its own, as macOS writes it. Both look the same and are
different names of a folder, so one student may be written in two ways.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

__all__ = ["Spelling", "composed", "plain", "writings"]

COPY = re.compile(r"(?:\s*\(\d+\)|-copy\d*|\s+copy)$")  # at the end of the name of a copy


class Spelling:
    """What each student is called: as the folder in `submitted/`, or where it has two, composed.

    Args:
        folders: names of students' folders.
        others: names that count where there is no folder.
    """

    def __init__(self, folders: Iterable[str], others: Iterable[str] = ()) -> None:
        by_form: dict[str, set[str]] = defaultdict(set)
        for name in folders:
            by_form[composed(name)].add(name)
        known = set(by_form)
        for name in others:
            if composed(name) not in known:
                by_form[composed(name)].add(name)
        self._called = {
            form: names.copy().pop() if len(names) == 1 else form for form, names in by_form.items()
        }

    def __call__(self, name: str) -> str:
        """Return what a student is called, by any writing of the name."""
        return self._called.get(composed(name), name)

    def twice(self, names: Iterable[str]) -> list[str]:
        """Return what those students are called whose name is among some in two writings."""
        found: dict[str, set[str]] = defaultdict(set)
        for name in names:
            found[self(name)].add(name)
        return sorted(student for student, writings in found.items() if len(writings) > 1)


def composed(name: str) -> str:
    """Return a name in which each accent is its letter's, where Unicode has such a letter."""
    return unicodedata.normalize("NFC", name)


def writings(name: str) -> list[str]:
    """Return a name as it is, and with each accent as its letter's, and as a mark of its own."""
    return list(dict.fromkeys((name, composed(name), unicodedata.normalize("NFD", name))))


def plain(name: str) -> str:
    """Return a name without what a file browser or a hasty hand adds to it."""
    return "".join(filter(str.isalnum, COPY.sub("", name.strip().casefold())))
