"""Classes: courses of their own in which honest students and specimens submit side by side."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import nbformat

from autograder.artefacts.bundle import pack_bundle, read_bundle
from autograder.artefacts.results import Result, load_result
from autograder.course import Course
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import drawn_for
from autograder.redteam.judge import misuse
from autograder.redteam.overhearing import CHANNEL
from autograder.redteam.specimens import Specimen
from autograder.redteam.submitting import (
    Knowledge,
    meddle,
    names_asked_for,
    submit,
    with_text,
    without_answer,
    write,
)
from autograder.redteam.witnesses import CANARY, Ear, Victim, hidden_numbers, new_canary
from autograder.sandbox.limits import Limits

__all__ = ["BLANK", "LACKING", "PROTECTED", "RIGHT", "Pupils", "School"]

# Graded before all others, in the midst of them and behind them.
RIGHT = "a-right"
BLANK = "a-blank"
LACKING = "a-lacking"
MIDST, BEHIND = "m-right", "z-right"
PROTECTED = ("assignments", "reference", "build", "release", "submitted")
# What staff may call when a class is graded.
COMMANDS = (
    ("grade", "--json"),
    ("regrade", "--preview"),
    ("export", "--to", "csv"),
    ("export", "--to", "json"),
    ("feedback",),
    ("report",),
)
SECONDS_BEYOND = 25.0  # that a run may take beside the time of each of its submissions


@dataclass
class Pupils:
    """A class: its course, its specimens, and what its grading run told.

    Attributes:
        root: the folder of its course.
        members: its specimens; the honest students are the same in each class.
        knowledge: what each specimen's student knows, by the specimen's id.
        victims: the process that a specimen was shown, by its id.
        events: what the arena told of each submission, by student.
        broke: how the whole run broke; "" if it did not.
    """

    root: Path
    members: Sequence[Specimen]
    knowledge: dict[str, Knowledge] = field(default_factory=dict)
    victims: dict[str, Victim] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    broke: str = ""

    def results(self, name: str) -> dict[str, Result]:
        """Return the result of each student who has one."""
        folder = self.root / "results" / name
        return {p.stem: load_result(p.read_bytes()) for p in sorted(folder.glob("*.json"))}

    def close(self) -> None:
        """End the processes that were shown."""
        for victim in self.victims.values():
            victim.close()


class School:
    """What all classes of a zoo share: the assignment, the canaries, an ear.

    Args:
        course: in which the assignment is compiled; it is only read.
        name: the assignment.
        limits: of each submission.
        scratch: an empty folder for the classes.
    """

    def __init__(self, course: Course, name: str, limits: Limits, scratch: Path) -> None:
        self.course, self.name, self.limits, self.scratch = course, name, limits, scratch
        kinds = ("secret", "file", "bundle", "reference", "submission", "student")
        self._canaries = {kind: new_canary(kind) for kind in (*kinds, "argument", "variable")}
        self._bundle = read_bundle(course.bundle(name))
        self._oracle = load_bundle_oracle(self._bundle)
        folder = course.release(name)
        self._recording = (folder / "recording.json").read_text(encoding="utf-8")
        self._release = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        solution = course.build(name) / f"{name}_solution.ipynb"
        self._solution = nbformat.read(solution, as_version=4)
        self._names, self._functions = names_asked_for(self._release)
        self._given = {c.question: list(c.given) for c in self._oracle.checks.values() if c.given}
        self.honest = {
            RIGHT: with_text(self._solution, self._canaries["submission"]),
            BLANK: self._release,
            LACKING: without_answer(self._solution, self._functions[0]),
            self._canaries["student"]: self._solution,
            MIDST: self._solution,
            BEHIND: self._solution,
        }
        self.public = scratch / "public"
        self.public.mkdir()
        self.public.chmod(0o777)
        (scratch / "secret.txt").write_text(self._canaries["file"])
        self.ear = Ear(scratch)
        self._numbers = itertools.count()

    @property
    def canaries(self) -> frozenset[str]:
        """The texts that nobody may find."""
        return frozenset(self._canaries.values())

    def hidden_of(self, result: Result | None) -> Callable[[], frozenset[str]]:
        """Return what finds the numbers of the hidden cases of a submission: its own ones."""

        def numbers() -> frozenset[str]:
            assert result is not None
            whose = drawn_for(result.student, result.submission)
            secret = self._canaries["secret"].encode()
            return frozenset(hidden_numbers(self._oracle, secret, whose))

        return numbers

    def open(self, title: str, members: Sequence[Specimen], before: Pupils | None = None) -> Pupils:
        """Write a course in which honest students and some specimens have submitted.

        Args:
            title: of the class, the name of its folder.
            members: its specimens.
            before: a class whose gradebook it goes on with.
        """
        pupils = Pupils(self.scratch / title, members)
        self._write_course(pupils.root)
        if before is not None:
            shutil.copy(before.root / "gradebook.db", pupils.root)
        for student, notebook in self.honest.items():
            write(self._folder(pupils.root, student), notebook)
        for specimen in members:
            if "VICTIM" in specimen.code:
                canaries = self._canaries["argument"], self._canaries["variable"]
                pupils.victims[specimen.id] = Victim(canaries)
            folder = self._folder(pupils.root, specimen.student)
            folder.mkdir(parents=True)
            knowledge = pupils.knowledge[specimen.id] = self._knowledge(pupils, specimen)
            submit(specimen, folder, self._release, self._solution, knowledge)
        return pupils

    def grade(self, pupils: Pupils, graded: Callable[[str], None] = lambda student: None) -> None:
        """Grade a class in an arena, and keep what it tells.

        Args:
            pupils: the class.
            graded: is told of each student who is graded.
        """
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
        environment["AUTOGRADER_SECRET"] = self._canaries["secret"]
        if any(specimen.tells for specimen in pupils.members):
            environment[CHANNEL] = "1"
        errors = pupils.root / "errors.txt"
        with errors.open("w") as stderr:
            arena = subprocess.Popen(
                [sys.executable, "-m", "autograder.redteam.arena", str(pupils.root), self.name],
                cwd=pupils.root,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        with self._meddling(pupils), _ended(arena, self._seconds(pupils)) as late:
            assert arena.stdout is not None
            for line in arena.stdout:
                event = json.loads(line)
                pupils.events[event["student"]] = event
                graded(event["student"])
            arena.wait()
        if late:
            pupils.broke = "the run did not end"
        elif arena.returncode:
            last = errors.read_text(errors="replace").strip().splitlines()[-1:]
            pupils.broke = f"the run ended with exit code {arena.returncode}: {' '.join(last)}"

    def use(self, pupils: Pupils) -> Iterator[str]:
        """Use the other commands on a class that is graded, and say what is wrong with them."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
        environment["AUTOGRADER_SECRET"] = self._canaries["secret"]
        for arguments in COMMANDS:
            done = subprocess.run(
                [sys.executable, "-m", "autograder", *arguments],
                cwd=pupils.root,
                env=environment,
                capture_output=True,
                timeout=SECONDS_BEYOND + self._seconds(pupils),
                check=False,
            )
            yield from misuse(" ".join(arguments), done.returncode, done.stdout, done.stderr)

    @contextmanager
    def _meddling(self, pupils: Pupils) -> Iterator[None]:
        """Let specimens change what they submitted while the block lasts."""
        over = Event()
        with ExitStack() as stack:
            for specimen in pupils.members:
                if specimen.meddles:
                    folder = self._folder(pupils.root, specimen.student)
                    known = pupils.knowledge[specimen.id]
                    thread = Thread(
                        target=meddle, args=(specimen, folder, self._release, known, over)
                    )
                    thread.start()
                    stack.callback(thread.join)
            stack.callback(over.set)
            yield

    def _seconds(self, pupils: Pupils) -> float:
        """Return how long a run may take: not every submission takes all of its time."""
        short = any(s.expectation.aims_at_the_run for s in pupils.members)
        each = 2.0 if short else 1.0 + self.limits.submission_seconds / 4
        return SECONDS_BEYOND + each * (len(pupils.members) + len(self.honest))

    def _folder(self, root: Path, student: str) -> Path:
        return root / "submitted" / student / self.name

    def _write_course(self, root: Path) -> None:
        for folder in ("assignments", "release", "build"):
            shutil.copytree(self.course.root / folder / self.name, root / folder / self.name)
        shutil.copytree(self.course.root / "reference", root / "reference")
        (root / "reference" / "canary.py").write_text(f"# {self._canaries['reference']}\n")
        bundle = pack_bundle(
            self._bundle.manifest,
            self._bundle.source,
            nbformat.writes(self._bundle.release).encode(),
            self._bundle.reference | {"reference/canary.py": f"# {self._canaries['bundle']}\n"},
            self._bundle.mutants,
            self._bundle.data,
            self._bundle.banks,
            self._bundle.resources,
        )
        (root / "build" / self.name / f"{self.name}.bundle").write_bytes(bundle)
        lines = [f"{name} = {value}" for name, value in vars(self.limits).items()]
        head = f'name = "Zoo"\nmin_isolation = "{self.course.min_isolation}"\n\n[limits]\n'
        (root / "course.toml").write_text(head + "\n".join(lines) + "\n")

    def _knowledge(self, pupils: Pupils, specimen: Specimen) -> Knowledge:
        victim = pupils.victims.get(specimen.id)
        return Knowledge(
            assignment=self.name,
            names=self._names,
            functions=self._functions,
            given=self._given,
            first=self._functions[0],
            recording=self._recording,
            course=str(pupils.root),
            honest=RIGHT,
            canary=CANARY,
            tcp=self.ear.tcp,
            udp=self.ear.udp,
            abstract=self.ear.abstract,
            socket=str(self.ear.path),
            victim=victim.pid if victim else 0,
            public=str(self.public),
            mark=f"zoo{os.getpid() % 0x100000:05x}{next(self._numbers):05x}",
        )


@contextmanager
def _ended(process: "subprocess.Popen[str]", seconds: float) -> Iterator[list[float]]:
    """Kill a process when its time is over, and say in the list when that was."""
    late: list[float] = []

    def kill() -> None:
        late.append(time.monotonic())
        process.kill()

    timer = Timer(seconds, kill)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
