"""Exporting: what is given to an exporter, what comes back, and what an exporter is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.artefacts.grades import Grade
    from autograder.artefacts.manifest import Manifest
    from autograder.records.roster import Roster

__all__ = ["Classes", "Exported", "Exporter", "Wanted"]

# Assignments, each with the grade of every student.
Classes = Sequence[tuple["Manifest", Mapping[str, "Grade"]]]


@dataclass(frozen=True)
class Wanted:
    """What an export is made of.

    Attributes:
        classes: the assignments with their grades.
        roster: who takes the course.
        sheet: the downloaded sheet that is filled.
        column: the heading of its column for the grade, where it is not found.
        drop_lowest: how many of a student's assignments do not count in the total of the course.
        notebooks: as they are submitted, by assignment and student.
    """

    classes: Classes
    roster: "Roster"
    sheet: Path | None = None
    column: str | None = None
    drop_lowest: int = 0
    notebooks: Mapping[tuple[str, str], Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """What is written.

    Attributes:
        files: by their names; one that is alone may be printed. Names with a folder in them are
            those of an exporter that writes a folder, however many there are.
        problems: sentences on what staff must look at, such as grades that found no row.
    """

    files: Mapping[str, bytes]
    problems: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether a folder is written, and no single file."""
        return len(self.files) != 1 or any("/" in name for name in self.files)

    def alone(self) -> "Exported":
        """Return a folder's only file as a single one."""
        (data,) = self.files.values()
        (name,) = self.files
        return Exported({name.rpartition("/")[2]: data}, self.problems)

    def write(self, out: Path) -> None:
        """Write a single file, or a folder.

        Raises:
            UsageError: a folder would take the place of a file.
        """
        from autograder.records.whole_files import write_atomic

        if self.is_folder and out.exists() and not out.is_dir():
            raise UsageError(f"{out} is a file: name a folder by --out")
        if not self.is_folder and not out.is_dir():
            write_atomic(out, *self.files.values())
        else:
            for name, data in self.files.items():
                write_atomic(out / name, data)


@dataclass(frozen=True)
class Exporter:
    """A form in which grades leave.

    Attributes:
        export: returns what is written.
        together: whether it can hold several assignments; else it gets one.
        sheet: whether it needs a downloaded sheet, may have one, or has no use for it.
    """

    export: Callable[[Wanted], Exported]
    together: bool
    sheet: Literal["needed", "optional", "none"] = "none"
