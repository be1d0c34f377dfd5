"""Specimens: the zoo's submissions, each a file whose first line says what it must get.

The first line is ``# expect:`` and clauses, parted by semicolons:

====================================  =========================================================
``earns nothing``                     an attack in the blank release: what the blank release gets
``earns everything``                  beside the right answers: what they get
``earns everything but FIRST``        the same without the answer that the constant FIRST names
``needs attention``                   it cannot be read: staff act, and nothing broke
``earns nothing or needs attention``  one of the two
``failed`` ``errored`` ``killed``     at least one case has this verdict; so ``timed_out``
``says "…"``                          a note or a message of the result says so
``never says "…"``                    none does
``aims at the run``                   a run might break on it: it is tried apart from the class
====================================  =========================================================

Exactly one of the first five. The comment below the first line says what the specimen tries. Then
comes its code, which is put into the release or, if it earns something, into the solution: as a
cell behind all others, or as several, each behind a line ``# %%``; one behind ``# %% first`` stands
in front of all others. Where it earns everything but FIRST it stands behind the answer of that
name, above its check: what stands below a check costs it nothing. The code may use constants that
it never defines (see `Knowledge`). A
specimen that is no code to run, but files, has a function ``make(folder, notebook)`` instead, which
writes them; the notebook is the release or the solution. If it changes them while the class is
graded, a function ``meddle(folder, notebook, over)`` does so until the event ``over`` is set.

Several students may work together. Each has a part of the file behind a line ``# %% student``, with
a comment of its own below that line; the code above the first of these lines is all of theirs. They
submit under names that end in 1, 2, …, are graded one behind the other, and each must get what the
first line says: whatever one has left behind helps no other.

Nobody knows all channels from one session to the next. So a specimen whose code has a function
``tell()`` is given one that nothing disturbs: it is called at the end of the submission's session
and returns bytes, which all sessions behind it find in the file ``heard``. If the bytes begin with
``break``, the harness breaks there, as if the specimen knew how to do that, and tries again.
"""

import ast
import re
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from pathlib import Path

from autograder.artefacts.results import Verdict
from autograder.errors import UsageError

__all__ = ["Earning", "Expectation", "Specimen", "parse_expectation", "read_specimens"]

START = "# expect:"
STUDENT = r"^# %% student\n"
_QUOTED = re.compile(r'(never says|says) "([^"]+)"')


class Earning(Enum):
    """What a specimen earns."""

    NOTHING = "earns nothing"
    EVERYTHING = "earns everything"
    ALL_BUT_FIRST = "earns everything but FIRST"
    ATTENTION = "needs attention"
    NEITHER = "earns nothing or needs attention"


@dataclass(frozen=True)
class Expectation:
    """What a specimen must get, as its first line says."""

    earning: Earning
    verdict: Verdict | None = None
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    aims_at_the_run: bool = False


@dataclass(frozen=True)
class Specimen:
    """A submission of the zoo.

    Attributes:
        group: the class of attack, or the assignment whose questions it is aimed at.
        name: of the file, which says what it does.
        expectation: what its first line says.
        tries: what the comment says that it tries.
        code: the whole file, or the part of it that is this student's.
        part: which of the students who work together this is, from 1; 0 is somebody alone.
    """

    group: str
    name: str
    expectation: Expectation
    tries: str
    code: str
    part: int = 0

    @property
    def id(self) -> str:
        """The group and the name, and which of several students it is."""
        return f"{self.company}-{self.part}" if self.part else self.company

    @property
    def company(self) -> str:
        """The group and the name, which students share who work together."""
        return f"{self.group}/{self.name}"

    @property
    def tells(self) -> bool:
        """Whether it has a function ``tell`` for what it tells later sessions."""
        return re.search(r"^def tell\(\)", self.code, re.MULTILINE) is not None

    @property
    def makes_files(self) -> bool:
        """Whether it writes its files itself, by its function ``make``."""
        return re.search(r"^def make\(", self.code, re.MULTILINE) is not None

    @property
    def meddles(self) -> bool:
        """Whether it changes its files while the class is graded, by its function ``meddle``."""
        return re.search(r"^def meddle\(", self.code, re.MULTILINE) is not None

    @property
    def student(self) -> str:
        """The name under which it is submitted: its constant ``STUDENT``, or its own."""
        found = re.search(r"^STUDENT = (.+)$", self.code, re.MULTILINE)
        return str(ast.literal_eval(found[1])) if found else self.id.replace("/", "-")

    def cells(self) -> tuple[list[str], list[str]]:
        """Return the code of the cells in front of the release's cells, and behind them."""
        places: dict[str, list[str]] = {"first": [], "last": []}
        for i, part in enumerate(re.split(r"^# %%", self.code, flags=re.MULTILINE)):
            title, _, body = part.partition("\n") if i else ("", "", part)
            if any(line and not line.startswith("#") for line in body.splitlines()):
                places["first" if title.strip() == "first" else "last"].append(body.strip("\n"))
        return places["first"], places["last"]


def read_specimens(folder: Path, group: str) -> list[Specimen]:
    """Return the specimens in a folder, sorted by name; a folder that is not there has none.

    Raises:
        UsageError: the first line of one is no expectation, or nothing says what it tries.
    """
    found = []
    for path in sorted(folder.glob("*.py")):
        try:
            found += _read(path, group)
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from None
    return found


def _read(path: Path, group: str) -> list[Specimen]:
    """Return the specimen in a file, or one for each of the students who work together."""
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    expectation = parse_expectation(first)
    shared, *parts = re.split(STUDENT, rest, flags=re.MULTILINE)
    name, tries = path.stem, _comment(shared)
    if not parts:
        return [Specimen(group, name, expectation, tries, f"{first}\n{rest}")]
    comments = [_comment(part) for part in parts]
    codes = [shared + re.sub(r"\A(# .*\n)+", "", part) for part in parts]
    return [
        Specimen(group, name, expectation, f"{tries} {comment}", code, number)
        for number, (comment, code) in enumerate(zip(comments, codes, strict=True), 1)
    ]


def _comment(text: str) -> str:
    """Return the comment with which a text begins."""
    lines = takewhile(lambda line: line.startswith("# ") and line[2] != "%", text.splitlines())
    if not (comment := " ".join(line.removeprefix("# ") for line in lines)):
        raise ValueError("no comment below the first line says what it tries")
    return comment


def parse_expectation(line: str) -> Expectation:
    """Return what a first line says.

    Raises:
        ValueError: it is none, or a clause is unknown or missing.
    """
    if not line.startswith(START):
        raise ValueError(f"the first line is {line!r}, not {START!r} and clauses")
    earnings: list[Earning] = []
    verdict: Verdict | None = None
    texts: dict[str, list[str]] = {"says": [], "never says": []}
    aims_at_the_run = False
    for clause in (part.strip() for part in line.removeprefix(START).split(";")):
        if clause == "aims at the run":
            aims_at_the_run = True
        elif quoted := _QUOTED.fullmatch(clause):
            texts[quoted[1]].append(quoted[2])
        elif clause in [e.value for e in Earning]:
            earnings.append(Earning(clause))
        elif clause in ("failed", "errored", "killed", "timed_out"):
            verdict = Verdict(clause)
        else:
            raise ValueError(f"an unknown clause {clause!r}")
    if len(earnings) != 1:
        raise ValueError(f"{len(earnings)} clauses say what it earns, not 1")
    return Expectation(
        earnings[0],
        verdict,
        tuple(texts["says"]),
        tuple(texts["never says"]),
        aims_at_the_run,
    )
