"""From a submission of an nbgrader course to its result."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    QuestionResult,
    Result,
    Status,
    Verdict,
    now,
)
from autograder.errors import HarnessError, StudentError, UnsafeHere
from autograder.foreign.definition import Definition, Graded, NotebookDefinition
from autograder.foreign.harness import Step, run_notebook
from autograder.foreign.manifests import CASE, manifest_of, question_id
from autograder.foreign.plan import Plan
from autograder.foreign.prepared import Prepared
from autograder.foreign.relay import Outcome
from autograder.foreign.scoring import score_of
from autograder.foreign.servers import Servers
from autograder.foreign.submissions import Arranged, SubmittedFolder, arrange, is_unchanged
from autograder.sandbox.limits import MB, Limits
from autograder.version import own_version

__all__ = ["FolderGrader", "broken_result"]

TRIES = 3  # of a submission, when the harness breaks


@dataclass
class FolderGrader:
    """Grades submissions of an assignment, one after another.

    Attributes:
        definition: the assignment's.
        plan: of its tests.
        servers: where its notebooks run.
        limits: of a submission.
    """

    definition: Definition
    plan: Plan
    servers: Servers
    limits: Limits = field(default_factory=Limits)
    _prepared: dict[str, Prepared] = field(default_factory=dict, init=False)

    def close(self) -> None:
        """End what is kept from one submission to the next, but for the fork servers."""
        while self._prepared:
            self._prepared.popitem()[1].close()

    def grade(self, student: str, submitted: SubmittedFolder) -> Result:
        """Grade a submission; a fault of the harness is retried, then marked as ours.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        isolation = self.servers.isolation  # first: where nothing is safe, nothing is graded
        if submitted.problem is not None:
            return self._result(student, submitted, [], (submitted.problem,))
        for attempt in range(TRIES):
            try:
                questions, notes = self._grade(submitted)
                break
            except UnsafeHere:
                raise
            except Exception as error:  # a HarnessError, or a bug of ours
                self.close()
                self.servers.close()
                if attempt == TRIES - 1:
                    fault = str(error) if isinstance(error, HarnessError) else repr(error)
                    return broken_result(self.definition, self.plan, student, submitted, fault)
        result = self._result(student, submitted, questions, notes)
        return msgspec.structs.replace(
            result, isolation=isolation.value if isolation.is_walled else None
        )

    def _grade(self, submitted: SubmittedFolder) -> tuple[list[QuestionResult], tuple[str, ...]]:
        self._get_ready()
        deadline = time.monotonic() + self.limits.submission_seconds
        questions: list[QuestionResult] = []
        notes: list[str] = []
        for notebook in self.definition.notebooks:
            arranged, problem = None, None
            if (data := submitted.notebooks.get(notebook.name)) is None:
                problem = f"{notebook.name}.ipynb was not submitted"
                notes.append(problem)
            else:
                try:
                    arranged = arrange(data, notebook)
                except StudentError as error:
                    problem = f"{notebook.name}.ipynb: {error}"
                    notes.append(problem)
            if arranged is None:
                is_ours = data is not None
                questions += self._without(notebook, is_ours, problem)
                continue
            notes += (f"{notebook.name}: {note}" for note in arranged.notes)
            seconds = max(1.0, deadline - time.monotonic())
            questions += self._graded(notebook, arranged, submitted.files, seconds)
        for name in sorted(
            submitted.notebooks.keys() - {n.name for n in self.definition.notebooks}
        ):
            notes.append(f"{name}.ipynb is no notebook of this assignment")
        return questions, tuple(notes)

    def _graded(
        self,
        notebook: NotebookDefinition,
        arranged: Arranged,
        files: Mapping[str, bytes],
        seconds: float,
    ) -> list[QuestionResult]:
        """Return the questions of a notebook, by running it."""
        plan = self.plan.notebooks[notebook.name]
        steps = [
            Step(one.cell.source, one.graded.name if one.graded and one.graded.is_test else "")
            for one in arranged.cells
            if one.cell.type == "code"
        ]
        began = time.monotonic()
        outcomes: dict[str, Outcome] = {}
        if plan.tests:
            fitting = _fitting(files, self.limits)
            setting = self.servers.setting(self.definition, fitting, seconds)
            setting = replace(setting, prepared=self._prepared.get(notebook.name))
            outcomes = run_notebook(setting, steps, plan)
        took = time.monotonic() - began
        found = []
        for cell in notebook.graded:
            name = question_id(self.definition, notebook, cell.name)
            if cell.is_test:
                outcome = outcomes.get(cell.name, Outcome("it did not run", timed_out=True))
                forgeable = not plan.tests[cell.name].is_hardened
                found.append(_tested(name, cell, outcome, took / len(plan.tests), forgeable))
            elif cell.is_manual:
                found.append(_manual(name, cell, arranged))
        return found

    def _get_ready(self) -> None:
        """Have a session of each notebook's tests from which those of a student are forked."""
        seconds = self.servers.cell_seconds(self.definition)
        for notebook in self.definition.notebooks:
            name, plan = notebook.name, self.plan.notebooks[notebook.name]
            if name not in self._prepared and any(test.is_hardened for test in plan.tests.values()):
                server, files = self.servers.tests, self.definition.files
                sources = {test: cell.source for test, cell in notebook.tests.items()}
                self._prepared[name] = Prepared(server, plan, files, seconds, sources)
        for prepared in self._prepared.values():
            prepared.get_ready()

    def _without(
        self, notebook: NotebookDefinition, is_damaged: bool, problem: str | None
    ) -> list[QuestionResult]:
        """Return the questions of a notebook that is not there, or that staff must look at."""
        status = Status.NEEDS_ATTENTION if is_damaged else Status.GRADED
        found = []
        for cell in notebook.graded:
            name = question_id(self.definition, notebook, cell.name)
            if cell.is_test and not is_damaged:
                outcome = Outcome(problem or "")
                found.append(_tested(name, cell, outcome, 0.0, False))
            elif cell.is_test or cell.is_manual:
                found.append(QuestionResult(name, cell.points or 0.0, 0.0, status, ()))
        return found

    def _result(
        self,
        student: str,
        submitted: SubmittedFolder,
        questions: Sequence[QuestionResult],
        notes: Sequence[str],
    ) -> Result:
        return _result(self.definition, self.plan, student, submitted, questions, notes)


def broken_result(
    definition: Definition, plan: Plan, student: str, submitted: SubmittedFolder, fault: str
) -> Result:
    """Return the result of a submission on which the harness broke: it is graded again."""
    result = _result(definition, plan, student, submitted, [], ())
    return msgspec.structs.replace(result, fault=fault)


def _result(
    definition: Definition,
    plan: Plan,
    student: str,
    submitted: SubmittedFolder,
    questions: Sequence[QuestionResult],
    notes: Sequence[str],
) -> Result:
    if not questions:  # it could not be read, or we broke
        questions = [
            QuestionResult(entry.id, entry.points, 0.0, Status.NEEDS_ATTENTION, ())
            for entry in manifest_of(definition).questions
        ]
    states = {question.status for question in questions}
    order = (Status.NEEDS_ATTENTION, Status.PENDING)
    return Result(
        assignment=definition.assignment,
        student=student,
        submission=submitted.digest,
        bundle=plan.id,
        status=next((status for status in order if status in states), Status.GRADED),
        device="cpu",
        graded_at=now(),
        autograder=own_version(),
        earned=round(sum(question.earned for question in questions), 6),
        possible=definition.points,
        notes=tuple(notes),
        questions=tuple(questions),
    )


def _tested(
    name: str, cell: Graded, outcome: Outcome, seconds: float, forgeable: bool
) -> QuestionResult:
    points, earned = cell.points or 0.0, score_of(cell, outcome)
    case = CaseResult(
        CASE,
        False,
        _verdict(outcome, earned >= points),
        seconds,
        message=_message(outcome, earned, points),
        place=outcome.place or None,
        forgeable=True if forgeable else msgspec.UNSET,
    )
    return QuestionResult(
        name, points, earned, Status.GRADED, (CheckResult(name, points, earned, (case,)),)
    )


def _verdict(outcome: Outcome, is_full: bool) -> Verdict:
    if outcome.timed_out:
        return Verdict.TIMED_OUT
    if outcome.killed:
        return Verdict.KILLED
    if outcome.error is None:
        return Verdict.PASSED if is_full else Verdict.FAILED
    return Verdict.FAILED if outcome.error_type == "AssertionError" else Verdict.ERRORED


def _message(outcome: Outcome, earned: float, points: float) -> str | None:
    if outcome.error is None:
        return None if earned >= points else f"earned {earned:g} of {points:g} points"
    where = f" (line {outcome.line} of the test)" if outcome.line is not None else ""
    text = f"{outcome.error}{where}"
    return f"{text} ({outcome.place})" if outcome.place else text


def _manual(name: str, cell: Graded, arranged: Arranged) -> QuestionResult:
    """Return the question of a cell that staff score; without an answer it is no points."""
    placed = arranged.find(cell.name)
    answered = cell.is_task or (placed is not None and not is_unchanged(placed))
    status = Status.PENDING if answered else Status.GRADED
    return QuestionResult(name, cell.points or 0.0, 0.0, status, ())


def _fitting(files: Mapping[str, bytes], limits: Limits) -> dict[str, bytes]:
    """Return a student's files as far as they fit into a session; the smallest first."""
    left, found = limits.disk_mb * MB // 2, dict[str, bytes]()
    for name, data in sorted(files.items(), key=lambda item: (len(item[1]), item[0])):
        if len(data) > min(left, limits.file_mb * MB) or len(found) >= limits.files // 2:
            break
        found[name], left = data, left - len(data)
    return found
