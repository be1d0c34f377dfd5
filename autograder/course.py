"""The course: its folders, limits and policies, read from `course.toml`."""

import hashlib
import os
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from autograder.cluster import Cluster
from autograder.errors import UsageError
from autograder.policies import OwnPolicies, Policies, gradebook_url
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WALLED, WEAKEST, Isolation
from autograder.secret import DEMO_SECRET, require_own_secret, secret_of_environment
from autograder.spelling import Spelling, plain
from autograder.visible import visible

__all__ = [
    "CONFIG",
    "LONGEST_NAME",
    "ROSTER",
    "TEAMS",
    "TIMESTAMP",
    "Course",
    "NoCourse",
    "find_course",
    "notebook_in",
    "told_files",
]

T = TypeVar("T")

CONFIG = "course.toml"
ROSTER = "roster.csv"
TEAMS = "teams.csv"
LONGEST_NAME = 250  # bytes of a student's: a file name holds 255, and ours add ".json"
TIMESTAMP = "timestamp.txt"  # nbgrader's, in the folder of a submission
MOST_FILES = 100_000  # of a folder that are looked at
MOST_TOLD = 5  # files that a message tells


@dataclass(frozen=True)
class Course:
    """A course's folders and what `course.toml` says.

    Attributes:
        root: the folder that holds everything.
        name: the course's name.
        limits: of every submission, unless an assignment overrides them.
        assignment_limits: overrides by assignment.
        min_isolation: the weakest isolation level behind which students' code may run.
        secret: from which hidden inputs are drawn.
        drafts: assignments that are still being written: commands leave them out unless named.
        policies: what is decided about grades.
        gradebook_url: of the gradebook's database on a server; "" for ``gradebook.db``.
        due: when assignments are due, UTC, where nbgrader's gradebook does not say it.
        require_secret: whether nothing is graded with the demo secret.
        cluster: where the engine ``dask`` finds its workers.
        demo_secret: whether that is the demo secret, which everybody knows.
    """

    root: Path
    name: str = "Course"
    limits: Limits = field(default_factory=Limits)
    assignment_limits: dict[str, Limits] = field(default_factory=dict)
    secret: bytes = field(default=DEMO_SECRET, repr=False)
    min_isolation: Isolation = WEAKEST
    drafts: frozenset[str] = frozenset()
    policies: Policies = field(default_factory=Policies)
    due: dict[str, datetime] = field(default_factory=dict)
    gradebook_url: str = field(default="", repr=False)  # may hold a password
    require_secret: bool = False
    cluster: Cluster = field(default_factory=Cluster)

    @property
    def demo_secret(self) -> bool:
        """Whether hidden inputs are drawn from the secret that everybody knows."""
        return self.secret == DEMO_SECRET

    def secret_to_grade_with(self) -> bytes:
        """The secret, if it will do.

        Raises:
            UnsafeHere: it is the demo secret, and the course requires one of its own.
        """
        if self.require_secret:
            require_own_secret(self.secret)
        return self.secret

    @property
    def secret_id(self) -> str:
        """A short name of the secret that does not tell it."""
        return hashlib.sha256(b"secret id" + self.secret).hexdigest()[:16]

    @property
    def gradebook(self) -> Path:
        """The database of nbgrader, where it is a file."""
        return self.root / "gradebook.db"

    @property
    def report(self) -> Path:
        """The page with the table of the class."""
        return self.root / "report" / "index.html"

    def source(self, assignment: str) -> Path:
        """The source notebook of an assignment: percent format or .ipynb.

        Raises:
            UsageError: there is none, or there are both.
        """
        folder = self.root / "assignments" / assignment
        found = [p for s in (".py", ".ipynb") if (p := folder / (assignment + s)).is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{self.relative(folder)} has both a .py and an .ipynb; keep one")
        raise UsageError(
            f"there is no assignment {assignment!r}; there are: {', '.join(self.assignments())}"
        )

    def assignments(self) -> list[str]:
        """The names of all assignments that have a source notebook and are no drafts."""
        folder = self.root / "assignments"
        return sorted(
            p.name
            for p in (folder.iterdir() if folder.is_dir() else ())
            if p.name not in self.drafts
            and ((p / f"{p.name}.py").is_file() or (p / f"{p.name}.ipynb").is_file())
        )

    def release(self, assignment: str) -> Path:
        """The folder that students get."""
        return self.root / "release" / assignment

    def build(self, assignment: str) -> Path:
        """The folder of the bundle, the solution and the audit report."""
        return self.root / "build" / assignment

    def bundle(self, assignment: str) -> Path:
        """The sealed bundle."""
        return self.build(assignment) / f"{assignment}.bundle"

    def submitted(self, assignment: str) -> dict[str, Path]:
        """The submitted notebook of each student who handed something in, sorted by name.

        It is named as the assignment, or is the only notebook in its folder. Whoever has two
        folders for it, as the name is written in two ways, is left out.
        """
        folders, called = self._submitted(assignment), Spelling(self.student_folders())
        twice = called.twice(folder.name for folder in folders)
        fit = {called(f.name): f / assignment for f in folders if _can_be(f.name)}
        return {name: notebook_in(fit[name], assignment) for name in sorted(fit.keys() - twice)}

    def unfit(self, assignment: str) -> list[str]:
        """The names of students' folders that no result can carry: long, not UTF-8, with a \\."""
        return [f.name for f in self._submitted(assignment) if not _can_be(f.name)]

    def twofold(self, assignment: str) -> list[str]:
        """The students who have two folders for an assignment: nobody can say which counts."""
        return Spelling(names := [f.name for f in self._submitted(assignment)]).twice(names)

    def student_folders(self) -> list[str]:
        """The names of the folders of all who handed something in."""
        return [folder.name for folder in _entries(self.root / "submitted")]

    def astray(self, assignments: Collection[str]) -> dict[Path, str | None]:
        """What students submitted where no assignment finds it, and for which it may be meant.

        A folder or a notebook that has no assignment's name; what looks like the name of an
        assignment that is not asked for is left out.
        """
        names = self._known()
        meant = {plain(name): name for name in sorted(names)}
        found = {}
        for student in _entries(self.root / "submitted"):
            for path in _entries(student):
                name = meant.get(plain(path.stem))
                strange = path.name not in names and (path.is_dir() or _is_notebook(path))
                if strange and (name is None or name in assignments):
                    found[path] = name
        return found

    def _known(self) -> set[str]:
        """The names of all assignments, drafts too, and of those that only their bundle is left."""
        folders = [self.root / "assignments", self.root / "build"]
        return {p.name for f in folders if f.is_dir() for p in f.iterdir() if p.is_dir()}

    def _submitted(self, assignment: str) -> list[Path]:
        folder = self.root / "submitted"
        students = sorted(folder.iterdir()) if folder.exists() else []
        return [student for student in students if _may_be_folder(student / assignment)]

    def results(self, assignment: str) -> Path:
        """The folder of results."""
        return self.root / "results" / assignment

    def feedback(self, assignment: str, student: str) -> Path:
        """A student's feedback page."""
        return self.root / "feedback" / student / assignment / f"{assignment}.html"

    def autograded(self, assignment: str, student: str) -> Path:
        """The graded notebook that formgrader shows."""
        return self.root / "autograded" / student / assignment / f"{assignment}.ipynb"

    def private(self) -> tuple[Path, ...]:
        """What no student's code may find: everything of the course that is not the release."""
        names = ("assignments", "autograded", "build", "feedback", "reference", "results")
        folders = [self.root / name for name in (*names, "submitted")]
        return (*folders, self.gradebook, *(self.root / name for name in (CONFIG, ROSTER, TEAMS)))

    def limits_of(self, assignment: str) -> Limits:
        """The limits of a submission of an assignment."""
        return self.assignment_limits.get(assignment, self.limits)

    def in_words(self, text: str) -> str:
        """A text whose paths are relative to the course."""
        return text.replace(f"{self.root}/", "")

    def relative(self, path: Path) -> str:
        """A path as messages show it: relative to the course where it can be."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path)


class NoCourse(UsageError):
    """There is no course here."""


def find_course(start: Path | None = None) -> Course:
    """Return the course of the nearest folder upward that has a `course.toml`.

    Raises:
        NoCourse: there is none.
        UsageError: its `course.toml` or the secret is wrong.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG).is_file():
            return _read(folder)
    raise NoCourse(f"no {CONFIG} in {start} or above it; run this inside a course")


def _read(root: Path) -> Course:
    try:
        table = tomllib.loads((root / CONFIG).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{CONFIG}: {error}") from None
    known = (
        *("name", "limits", "assignments", "min_isolation", "late", "grades", "gradebook"),
        *("require_secret", "cluster", "slurm"),
    )
    for key in table:
        if key not in known:
            raise UsageError(f"{CONFIG}: a key must be one of {', '.join(known)}, got {key!r}")
    limits = Limits.from_table(_table(table, "limits"))
    own_limits, own = {}, {}
    assignments = _table(table, "assignments")
    for name in assignments:
        where = f"assignments.{name}"
        entry = _table(assignments, name, where)
        own[name] = _in_config(OwnPolicies.from_table, where, entry)
        own_limits[name] = Limits.from_table(_table(entry, "limits", f"{where}.limits"), limits)
    min_isolation = table.get("min_isolation", WEAKEST.value)
    if not isinstance(min_isolation, str) or min_isolation not in list(WALLED):
        levels = ", ".join(WALLED)
        raise UsageError(f"{CONFIG}: min_isolation must be one of {levels}, got {min_isolation!r}")
    if type(require_secret := table.get("require_secret", False)) is not bool:
        raise UsageError(f"{CONFIG}: require_secret must be true or false, got {require_secret!r}")
    name = str(table.get("name", root.name))
    late, grades = _table(table, "late"), _table(table, "grades")
    return Course(
        root,
        name,
        limits,
        own_limits,
        secret_of_environment(),
        Isolation(min_isolation),
        frozenset(one for one, said in own.items() if said.draft),
        _in_config(Policies.from_tables, late, grades, own),
        {one: said.due for one, said in own.items() if said.due is not None},
        _in_config(gradebook_url, _table(table, "gradebook"), os.environ),
        require_secret,
        _in_config(Cluster.from_tables, _table(table, "cluster"), _table(table, "slurm")),
    )


def _in_config(read: Callable[..., T], *what: Any) -> T:
    """Return what is read of `course.toml`; what is wrong with it is said with the file's name."""
    try:
        return read(*what)
    except UsageError as error:
        raise UsageError(f"{CONFIG}: {error}") from None


def _may_be_folder(path: Path) -> bool:
    """Return whether a path is a folder, or is behind one that cannot be looked into."""
    try:
        return path.is_dir()
    except OSError:
        return True


def _can_be(student: str) -> bool:
    """Return whether a result can carry the name of a student's folder."""
    encoded = student.encode("utf-8", "replace")
    return len(encoded) <= LONGEST_NAME and student == encoded.decode() and "\\" not in student


def notebook_in(folder: Path, assignment: str) -> Path:
    """Return where the notebook of a submission is, or should be."""
    wanted = folder / f"{assignment}.ipynb"
    if os.path.lexists(wanted):
        return wanted
    found = [path for path in _entries(folder) if _is_notebook(path)]
    return found[0] if len(found) == 1 else wanted


def told_files(folder: Path) -> str:
    """Say which files are in a folder where the one that was looked for is not; "" for none."""
    names = [visible(path.name) for path in _entries(folder) if path.name != TIMESTAMP]
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return f"; there are: {', '.join(names[:MOST_TOLD])}{more}" if names else ""


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden, sorted; nothing where it cannot be read.

    Of a folder that somebody filled to harm us, some.
    """
    try:
        paths = islice(folder.iterdir(), MOST_FILES)
        return sorted(path for path in paths if not path.name.startswith("."))
    except OSError:  # a file, say
        return []


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _table(parent: dict[str, Any], key: str, where: str | None = None) -> dict[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"{CONFIG}: {where or key} must be a table, got {value!r}")
    return value
