"""JUnit's XML, which CI systems show: a suite for a student's assignment, a test for a case."""

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from autograder.artefacts.grades import Grade, GradeStatus, QuestionGrade
from autograder.artefacts.results import CaseResult, Status, Verdict
from autograder.records.exporting import Exported
from autograder.records.filling import known_students
from autograder.records.public import ATTENTION, words_of
from autograder.records.words import CaseWords, clean, standing
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Wanted

__all__ = ["junit_export"]

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OUTCOMES = {Verdict.FAILED: "failure", Verdict.PENDING: "skipped"}  # all others are an error
TALLY = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit_export(wanted: "Wanted") -> Exported:
    """Return the suites of everybody who submitted something, with what students may read."""
    root = Element("testsuites", name="autograder")
    for manifest, grades in wanted.classes:
        for student in known_students([(manifest, grades)]):
            _add_suite(root, grades[student])
    total: Counter[str] = Counter()
    for suite in root:
        total.update({key: int(suite.attrib[key]) for key in ("tests", *TALLY)})
    root.attrib |= {key: str(total[key]) for key in ("tests", *TALLY)}
    indent(root)
    text = tostring(root, encoding="utf-8", xml_declaration=True)
    return Exported({"junit.xml": text + b"\n"})


def _add_suite(root: Element, grade: Grade) -> None:
    suite = SubElement(root, "testsuite", name=_text(f"{grade.assignment}.{grade.student}"))
    properties = SubElement(suite, "properties")
    told = {"status": grade.status.value, "possible": f"{grade.possible:g}"}
    if grade.is_begun:
        told["earned"] = f"{grade.earned:g}"
    if grade.counted is not None and grade.counted.words:
        told["attempt"] = _text(grade.counted.words)
    for name, value in told.items():
        SubElement(properties, "property", name=name, value=value)
    for question in grade.questions:
        _add_question(suite, grade, question)
    cases = suite.findall("testcase")
    suite.attrib["tests"] = str(len(cases))
    for key, tag in TALLY.items():
        suite.attrib[key] = str(sum(case.find(tag) is not None for case in cases))
    suite.attrib["time"] = f"{sum(float(case.attrib['time']) for case in cases):.3f}"
    if grade.result is not None:
        suite.attrib["timestamp"] = grade.result.graded_at.removesuffix("Z")
        if grade.result.notes:
            output = SubElement(suite, "system-out")
            output.text = _text("\n".join(clean(note) for note in grade.result.notes))


def _add_question(suite: Element, grade: Grade, question: QuestionGrade) -> None:
    place = _text(f"{grade.assignment}.{question.id}")
    for check, words in words_of(question):
        for case, said in zip(check.cases, words, strict=True):
            _add_case(suite, place, f"{check.name}: {said.name}", case, said)
    if question.checks:
        return
    # A person grades it, or nothing of it could be graded.
    test = SubElement(suite, "testcase", classname=place, name=_text(question.id), time="0.000")
    how = standing(question.entry, question)
    if question.status is Status.PENDING:
        SubElement(test, "skipped", message=_text(how.words))
    elif question.status is not Status.GRADED:
        lost = grade.status is GradeStatus.NEEDS_ATTENTION
        SubElement(
            test, "error", type=question.status.value, message=ATTENTION if lost else how.words
        )


def _add_case(suite: Element, place: str, name: str, case: CaseResult, said: CaseWords) -> None:
    # How long a hidden case takes may tell of its inputs.
    seconds = 0.0 if case.hidden else case.seconds
    test = SubElement(suite, "testcase", classname=place, name=_text(name), time=f"{seconds:.3f}")
    if case.verdict is Verdict.PASSED:
        return
    kind = OUTCOMES.get(case.verdict, "error")
    outcome = SubElement(test, kind, message=_text(said.words))
    if kind != "skipped":
        outcome.attrib["type"] = case.verdict.value
    lines = [line for line in (said.message, said.diagnosis, said.hint) if line]
    if lines:
        outcome.text = _text("\n".join(lines))


def _text(text: str) -> str:
    """Return text that XML can hold, in which nothing steers a terminal."""
    return NO_XML.sub("", "\n".join(map(visible, text.split("\n"))))
