"""Automatic comments: what formgrader and nbgrader's feedback say below a student's answer.

They hold no messages, for nbgrader renders comments as HTML and messages are the student's text.
"""

from collections.abc import Collection

from nbformat import NotebookNode

from autograder.artefacts.manifest import CheckEntry, Manifest
from autograder.artefacts.results import CheckResult, Result, Status, Verdict
from autograder.records.pages import format_points
from autograder.records.words import check_words, price_words, question_pairs, shared_diagnoses

__all__ = ["answer_cells", "student_comments"]

NO_RESPONSE = "No response."  # nbgrader's own words for an untouched answer


def answer_cells(manifest: Manifest, release: NotebookNode) -> dict[str, str]:
    """Return for each check the grade_id of the nearest solution cell above it, if there is one."""
    checks = {check.cell: check.name for entry in manifest.questions for check in entry.checks}
    above: dict[str, str] = {}
    answer = None
    for cell in release.cells:
        metadata = cell.metadata.get("nbgrader", {})
        name = metadata.get("grade_id")
        if metadata.get("solution"):
            answer = name
        elif name in checks and answer:
            above[checks[name]] = answer
    return above


def student_comments(manifest: Manifest, answers: dict[str, str], result: Result) -> dict[str, str]:
    """Return the comments on a student's answers, by the grade_id of the answer's cell.

    Args:
        manifest: the assignment's.
        answers: what `answer_cells` returns.
        result: the student's.
    """
    comments: dict[str, list[str]] = {}
    for entry, question in question_pairs(manifest, result.questions):
        if entry.manual and entry.cell and question.status is Status.GRADED and not question.earned:
            comments[entry.cell] = [NO_RESPONSE]
        entries = {check.name: check for check in entry.checks}
        price = price_words(question)
        below: dict[str, list[tuple[CheckResult, CheckEntry | None]]] = {}
        for check in question.checks:
            if answer := answers.get(check.name):
                below.setdefault(answer, []).append((check, entries.get(check.name)))
        for answer, checks in below.items():
            if price is not None:
                comments.setdefault(answer, []).append(price)
                price = None  # once for all checks
            shared = shared_diagnoses(check_words(*one) for one in checks)
            comments.setdefault(answer, []).extend(f"Looks like: {text}" for text in shared)
            comments[answer] += (_comment(*one, shared) for one in checks)
    return {cell: "\n\n".join(parts) for cell, parts in comments.items()}


def _comment(check: CheckResult, entry: CheckEntry | None, said: Collection[str]) -> str:
    """Return a check's verdicts as Markdown, which nbgrader renders, without what is said above."""
    title = entry.summary if entry else check.name
    head = f"{title} {format_points(check.earned)} of {format_points(check.points)} points."
    cases = check_words(check, entry)
    if all(case.verdict is Verdict.PASSED for case in cases):
        return head
    lines = [f"- {case.name}: {case.words}" for case in cases]
    diagnoses = dict.fromkeys(case.diagnosis for case in cases if case.diagnosis)
    lines += [f"- looks like: {text}" for text in diagnoses if text not in said]
    hints = [f"- hint: {case.hint}" for case in cases if case.hint][:1]
    return "\n".join([head, "", *lines, *hints])
