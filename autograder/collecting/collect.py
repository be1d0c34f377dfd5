"""Collecting: sources are read, people matched with the roster, and submissions put in place.

Everything is listed and matched before anything is written, because two people who claim one
student, or two attempts of one, are known only then. Files are read one submission at a time.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.collecting.choosing import choose
from autograder.collecting.forms import FORMS
from autograder.collecting.found import Found, Notes, Source
from autograder.collecting.placing import Existing, Outcome, Policy, existing, place
from autograder.collecting.report import Report, Taken
from autograder.collecting.trees import Refused
from autograder.course import ROSTER, Course
from autograder.errors import UsageError, stops_all, system_words
from autograder.records.roster import Roster, is_student_name, read_roster
from autograder.visible import STEERING, visible

__all__ = ["collect"]

MOST_REFUSED = 50  # files of one source that are told
LONGEST_MADE = 100  # characters of a name that is made of what a source says


@dataclass(frozen=True)
class _Listed:
    """A submission and the form of its source."""

    found: Found
    form: str
    source: int


def collect(
    course: Course,
    paths: Sequence[Path],
    assignment: str | None = None,
    form: str | None = None,
    policy: Policy = Policy.NEWEST,
    dry_run: bool = False,
    only: Collection[str] | None = None,
) -> Report:
    """Bring the submissions of some sources into `submitted/`, and return the report.

    Args:
        course: to which they go.
        paths: folders and archives.
        assignment: what is collected; None if the sources tell.
        form: a name in `FORMS`; None if it is recognised.
        policy: what to do where a student has a submission already.
        dry_run: write nothing.
        only: of an exchange these attempts alone, by their names there; None means all.

    Raises:
        UsageError: a source is not there or none of that form, nobody tells the assignment, or the
            roster is wrong.
        OSError: nothing can be written.
    """
    roster = read_roster(course, strict=True)
    report = Report(dry_run)
    names = frozenset({*course.assignments(), *course.drafts})
    if assignment is not None:
        course.source(assignment)
    with ExitStack() as stack:
        listed = []
        for number, path in enumerate(paths):
            wanted = None if only is None else frozenset(only)
            listed += _list(Source(path, stack, names, wanted), number, form, report)
        groups = _by_student(_of_assignments(listed, assignment, names, report), roster, report)
        for (name, student), attempts in sorted(groups.items()):
            report.superseded += len(attempts) - 1
            newest = max(attempts, key=_rank)
            try:
                former = existing(course, name, student)
                alone = only is not None and _is_of_form(former, newest.form)
                in_doubt = alone or not roster.complete
                if in_doubt and (other := _other_person(former, newest.found)):
                    report.unmatched.append(_both(student, (other, newest.found.who.text)))
                    continue
                _take(course, name, student, newest, former, policy, report)
            except Refused as error:
                report.refused.append(str(error))
            except OSError as error:
                if stops_all(error):
                    raise
                report.refused.append(f"{visible(student)}: {course.in_words(system_words(error))}")
    return report


def _list(source: Source, number: int, form: str | None, report: Report) -> list[_Listed]:
    """Return what a source holds; what is wrong with all of it is refused, and others go on."""
    if not source.path.exists():
        raise UsageError(f"there is no {source.path}")
    notes = Notes()
    found: list[Found] = []
    try:
        name = form or next(one for one, made in FORMS.items() if made().recognises(source))
        chosen = FORMS[name]()
        found = list(chosen.read(source, notes))
        report.sources.append(f"{source.name}: read as {chosen.words} (--as {name})")
        if "tree" in vars(source):
            notes.refused.extend(source.tree.refused)
    except Refused as error:
        notes.refused.append(str(error))
        name = ""
    report.refused += notes.refused[:MOST_REFUSED]
    if (more := len(notes.refused) - MOST_REFUSED) > 0:
        report.refused.append(f"{source.name}: {more} more files are not taken")
    report.strays += notes.strays
    return [_Listed(one, name, number) for one in found]


def _of_assignments(
    listed: Sequence[_Listed], wanted: str | None, known: frozenset[str], report: Report
) -> list[tuple[str, _Listed]]:
    """Return the submissions with their assignments, without those that are not collected."""
    chosen = []
    for one in listed:
        name = one.found.assignment or wanted
        if name is None:
            raise UsageError(
                f"{one.found.place}: nothing tells the assignment; say --assignment NAME, one of "
                f"{', '.join(sorted(known))}"
            )
        if name in known and wanted in (None, name):
            chosen.append((name, one))
        elif wanted is None:
            report.strays.append(one.found.place)
    return chosen


def _by_student(
    listed: Iterable[tuple[str, _Listed]], roster: Roster, report: Report
) -> Mapping[tuple[str, str], list[_Listed]]:
    """Return the attempts of each student at each assignment.

    Where two people of one source are taken for one student, neither is collected.
    """
    groups: dict[tuple[str, str], list[_Listed]] = defaultdict(list)
    reasons: dict[str, None] = {}
    made = _Made()
    for name, one in listed:
        match = roster.find(one.found.who)
        owner = one.found.owner
        if match.student is not None and owner not in (None, match.student.id):
            said = f"was submitted by {owner}, and is no work of {visible(match.student.id)}"
            report.refused.append(str(Refused(one.found.place, said)))
        elif match.student is not None:
            groups[name, match.student.id].append(one)
        elif match.is_unknown and not roster.complete:
            groups[name, made.of(one)].append(one)
        else:
            reasons[f"{_where(one.found)}: {match.reason}"] = None
    for key, attempts in list(groups.items()):
        if people := _several(attempts):
            del groups[key]
            reasons[_both(key[1], people)] = None
    report.unmatched += reasons
    report.made += sorted(made.names.intersection(student for _, student in groups))
    return groups


def _where(found: Found) -> str:
    """Return where a submission is, and whose it says it is."""
    text = visible(found.who.text, 100)
    where = visible(found.place, 200)
    return where if text in where else f"{where} ({text})"


def _several(attempts: Sequence[_Listed]) -> Sequence[str]:
    """Return the people of one source among the attempts of a student, if they are several."""
    people = defaultdict(set)
    for one in attempts:
        people[one.source].add(one.found.who.text)
    return next((sorted(texts) for texts in people.values() if len(texts) > 1), ())


def _is_of_form(former: Existing | None, form: str) -> bool:
    """Return whether the submission in place came in a form: where not all is read, from there."""
    return former is not None and former.record.get("as") == form


def _other_person(former: Existing | None, found: Found) -> str | None:
    """Return whose the submission in place is, if its source called that person otherwise.

    Without a roster a student is no more than a name, and two names may be made one.
    """
    person = None if former is None else former.record.get("person")
    if not isinstance(person, str):
        return None
    same = unicodedata.normalize("NFC", person) == unicodedata.normalize("NFC", found.who.text)
    return None if same else person


def _both(student: str, people: Sequence[str]) -> str:
    """Say that several people are taken for one student."""
    names = " and ".join(visible(text, 100) for text in people[:3])
    return f"{names} are both taken for {visible(student)}; give each a row in {ROSTER}"


class _Made:
    """Makes students of names, where there is no roster."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def of(self, one: _Listed) -> str:
        """Return a safe name for the person of a submission, the same for the same person."""
        who = one.found.who
        said = next(iter((*who.logins, *who.names, who.text)))
        name = unicodedata.normalize("NFC", STEERING.sub("", said))
        safe = "".join(c if c.isalnum() or c in "-_.@+" else "_" for c in name)[:LONGEST_MADE]
        while not is_student_name(safe):
            safe = safe.encode("utf-8", "ignore")[:LONGEST_MADE].decode("utf-8", "ignore")
            safe = safe.lstrip(".") or "nobody"
        self.names.add(safe)
        return safe


def _rank(one: _Listed) -> tuple[datetime, int, int]:
    """Return by what attempts are ordered: time, number, and the place of their source."""
    return one.found.time or datetime.min, one.found.attempt, one.source


def _take(
    course: Course,
    assignment: str,
    student: str,
    one: _Listed,
    former: Existing | None,
    policy: Policy,
    report: Report,
) -> None:
    """Read a submission and put it into its place."""
    found = one.found
    content = choose(found, assignment)
    outcome = place(
        course, assignment, student, found, content, former, policy, one.form, report.dry_run
    )
    if outcome in (Outcome.NEW, Outcome.NEWER):
        report.left_out += [f"{student}/{name}" for name in content.left_out]
    timed = found.time is not None
    report.taken.append(Taken(assignment, student, outcome, found.late, timed))
