"""docs/course.md says of the assignments what is so."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = "\n" + (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
NAMES = sorted(path.name for path in (ROOT / "assignments").iterdir() if path.is_dir())
MAKE_CHECKS = ("check", "matches_reference")
MANUAL = re.compile(r'manual=true question="(\w+)" points=([\d.]+)')


def questions(name: str) -> dict[str, dict[str, float]]:
    """Return the points of each question: of all its checks, read by a person, and on a GPU."""
    source = (ROOT / "assignments" / name / f"{name}.py").read_text(encoding="utf-8")
    found: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(("all", "gpu"), 0.0))
    for question, points in MANUAL.findall(source):
        found[question] = {"all": float(points), "gpu": 0.0, "manual": float(points)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKE_CHECKS:
            settings = {k.arg: k.value.value for k in node.keywords if hasattr(k.value, "value")}
            entry = found[node.args[0].value]
            entry["all"] += settings["points"]
            entry["gpu"] += settings["points"] if settings.get("device") == "cuda" else 0
    return dict(found)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    section = re.split(r"\n##+ ", PAGE.split(f"\n{heading}\n")[1])[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_assignment_is_there_with_its_points() -> None:
    listed = {row[0].strip("`"): row[2:4] for row in rows("# The course: what is asked where")}
    assert sorted(listed) == NAMES
    for name, points in listed.items():
        found = questions(name).values()
        manual, gpu = (sum(q.get(kind, 0.0) for q in found) for kind in ("manual", "gpu"))
        assert [float(number) for number in points] == [manual, gpu], name
        assert sum(q["all"] for q in found) == 100, name


@pytest.mark.parametrize("name", NAMES)
def test_every_question_is_there_with_its_points(name: str) -> None:
    text = " ".join(row[2] for row in rows(f"### `{name}`"))
    found = questions(name)
    listed = {question: float(points) for question, points in re.findall(r"`(\w+)` ([\d.]+)", text)}
    assert listed == {question: entry["all"] for question, entry in found.items()}
    manual = set(re.findall(r"`(\w+)` [\d.]+ \(manual\)", text))
    assert manual == {question for question, entry in found.items() if "manual" in entry}
    gpu = re.findall(r"`(\w+)` [\d.]+ \((\d+) of them on a GPU\)", text)
    assert {q: float(n) for q, n in gpu} == {q: e["gpu"] for q, e in found.items() if e["gpu"]}


def test_what_the_page_points_at_exists() -> None:
    known = {name: questions(name) for name in NAMES}
    places = re.findall(r"`(exam|hw\d\w+)/(\w+)`", PAGE)
    assert len(places) > 90
    assert [place for place in places if place[1] not in known[place[0]]] == []


def test_every_question_of_the_write_ups_has_a_place() -> None:
    table = rows("## Where the questions of the five write-ups are")
    assert len({row[0] for row in table}) == len(table) > 55
    for label, _, place in table:
        assert re.search(r"`(exam|hw\d\w+)(/\w+)?`", place) or place.startswith("*"), label
