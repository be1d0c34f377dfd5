"""Whoever watches is told of each save what was proven for it, and what is wrong."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.audit import watching
from autograder.audit.watching import watch
from autograder.course import Course
from tests.small_course import BANK_OF_CHOICE

WriteCourse = Callable[..., Course]
WAITING = "waiting for a change; Ctrl-C ends this"


class Watcher:
    """Watches a course, saves files between two looks, and keeps the lines that are told."""

    def __init__(self, course: Course, log: Path) -> None:
        self.course, self._log = course, log

    def told(self, *saves: Callable[[], object]) -> list[list[str]]:
        """Return the lines that are told at first, and those of each save."""
        waiting = iter(saves)
        again = iter([True])  # one look at the end at which nothing has changed

        def goes_on() -> bool:
            if self._rounds() == 0:
                return True
            save = next(waiting, None)
            if save is None:
                return next(again, False)
            save()
            return True

        self._log.write_text("")
        watch(self.course, "small", self._tell, 1, goes_on)
        rounds = self._log.read_text().split(f"{WAITING}\n")
        assert rounds.pop() == ""
        return [text.splitlines() for text in rounds]

    def _tell(self, line: str) -> None:
        with self._log.open("a") as file:  # a process of its own tells most of it
            file.write(f"{line}\n")

    def _rounds(self) -> int:
        return self._log.read_text().count(WAITING)


@pytest.fixture
def watcher(
    write_proven_course: WriteCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Watcher:
    monkeypatch.setattr(watching, "POLL", 0.01)
    return Watcher(write_proven_course(), tmp_path / "told.txt")


def saved(path: Path, *change: str, text: str | None = None) -> Callable[[], None]:
    """Return what saves a file with a piece of it replaced."""

    def save() -> None:
        new = path.read_text().replace(*change) if text is None else text
        path.write_text(new)
        later = time.time_ns() + 10**9
        os.utime(path, ns=(later, later))

    return save


def test_a_save_of_a_bank_proves_only_its_question(watcher: Watcher) -> None:
    bank = watcher.course.source("small").parent / "bank" / "choice.py"
    text = BANK_OF_CHOICE + 'mistake("nothing at all", choice="")\n'
    first, second = watcher.told(saved(bank, text=text))
    assert first[0].startswith("draft in build/small/draft/ after ")
    assert first[1] == "small: 0 checks proven now, the proof of 2 stands"
    assert first[2].startswith("published after ")
    assert second[0] == "changed: assignments/small/bank/choice.py"
    assert [line.split()[0] for line in second[2:]] == ["choice_is_right", "small:", "published"]
    assert second[3] == "small: 1 check proven now, the proof of 1 stands"


def test_what_is_wrong_is_told_and_the_next_save_is_tried(watcher: Watcher) -> None:
    source = watcher.course.source("small")
    right = source.read_text()
    _, wrong, mended = watcher.told(
        saved(source, "points=4", "points='four'"), saved(source, text=right)
    )
    assert wrong[0] == mended[0] == "changed: assignments/small/small.py"
    (line,) = wrong[1:]
    assert line.startswith("assignments/small/small.py, cell 5: check scaled_sum_matches_reference")
    assert mended[-2] == "small: 0 checks proven now, the proof of 2 stands"


def test_a_refused_audit_is_told_line_by_line(watcher: Watcher) -> None:
    bank = watcher.course.source("small").parent / "bank" / "scaled_sum.py"
    _, refused = watcher.told(saved(bank, "return x.sum()", "return 2 * x.sum()"))
    assert refused[2] == "small is not published: 1 finding"
    assert "passes every case" in refused[3]


def test_files_that_come_and_go_are_told(watcher: Watcher) -> None:
    folder = watcher.course.source("small").parent / "data"
    folder.mkdir()
    _, came, went = watcher.told(saved(folder / "a.csv", text="1"), (folder / "a.csv").unlink)
    assert came[0] == went[0] == "changed: assignments/small/data/a.csv"


def test_what_watching_writes_itself_is_no_change(watcher: Watcher) -> None:
    assert len(watcher.told()) == 1
