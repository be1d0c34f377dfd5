"""A grader that stays up: what arrives is graded once it is whole, once."""

import os
import shutil

import pytest

from autograder.engines import run, serving
from autograder.engines.arrivals import Arrivals, looks_of_submitted
from autograder.engines.record import Records
from autograder.engines.serving import Server, only_one
from autograder.engines.table import ENGINES
from autograder.errors import UnsafeHere, UsageError
from autograder.records.store import Store


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when somebody sleeps."""
    found = Clock()

    def sleep(seconds):
        found.now += seconds

    monkeypatch.setattr(serving.time, "sleep", sleep)
    return found


@pytest.fixture
def serve(classroom, quickly, clock, monkeypatch):
    """Return a function that makes a server, which grades without sessions."""

    def records(*_):
        written.append("records")
        return Records({}, {})

    written = []
    monkeypatch.setattr(run, "bring_up_to_date", records)
    monkeypatch.setattr(serving, "bring_report_up_to_date", lambda *_: written.append("report"))

    def serve(exchange=None, names=(), engine=None, course=None):
        said = []
        server = Server(
            course or (lambda: classroom.course),
            names,
            exchange,
            "cpu",
            2,
            engine or ENGINES["local"],
            said.append,
            Arrivals(2.0, clock),
            Arrivals(2.0, clock),
        )
        server.said, server.written = said, written
        return server

    return serve


def rounds(server, *before):
    """Let a server look once more than there are things to do between two looks."""
    left = list(before)

    def goes_on():
        if not left:
            return False
        left.pop(0)()
        return True

    server.watch(goes_on)


def nothing():
    pass


def results(classroom):
    return {
        student: r.earned
        for student, r in Store(classroom.course.results("small")).newest().items()
    }


def test_a_folder_is_whole_when_it_looks_the_same_for_a_while():
    clock = Clock()
    arrivals = Arrivals(2.0, clock)
    half, whole = (("a", 1, 1, 1, 1),), (("a", 1, 2, 2, 2),)
    arrivals.look({"ada": half})
    clock.now = 1.9
    assert arrivals.whole() == {}
    arrivals.look({"ada": whole})
    clock.now = 3.0
    arrivals.look({"ada": whole})
    assert arrivals.whole() == {}
    assert arrivals.growing() == {"ada"}
    clock.now = 4.0
    assert arrivals.whole() == {"ada": whole}
    assert arrivals.growing() == set()
    arrivals.done(arrivals.whole())
    assert arrivals.whole() == {}
    arrivals.again(["ada"])
    assert arrivals.whole() == {"ada": whole}


def test_what_changed_while_it_was_graded_is_new():
    clock = Clock()
    arrivals = Arrivals(0.0, clock)
    arrivals.look({"ada": ()})
    graded = arrivals.whole()
    arrivals.look({"ada": (("a", 1, 1, 1, 1),)})
    arrivals.done(graded)
    assert set(arrivals.whole()) == {"ada"}


def test_what_is_removed_and_comes_back_is_new():
    clock = Clock()
    arrivals = Arrivals(0.0, clock)
    arrivals.look({"ada": ()})
    arrivals.done(arrivals.whole())
    arrivals.look({})
    arrivals.look({"ada": ()})
    assert set(arrivals.whole()) == {"ada"}


def test_every_change_of_a_submission_changes_how_it_looks(classroom):
    classroom.submit("ada")
    path = classroom.path("ada")

    def look():
        return looks_of_submitted(classroom.course, ["small"])["small", "ada"]

    looks = [look()]
    status = path.stat()
    text = path.read_text()
    path.write_text("x" * len(text))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as `cp -p` does
    looks.append(look())
    path.with_name("timestamp.txt").write_text("2026-11-20 10:00")
    looks.append(look())
    (path.parent / "data").mkdir()
    (path.parent / "data" / "a.csv").write_text("1")
    looks.append(look())
    assert len(set(looks)) == len(looks)


def test_what_arrives_is_graded_once_and_what_comes_again_once_more(classroom, serve):
    classroom.submit("ada")
    server = serve()
    rounds(
        server,
        *[nothing] * 4,
        lambda: classroom.submit("bo", classroom.blank),
        *[nothing] * 4,
        lambda: classroom.submit("ada", classroom.blank),
        *[nothing] * 4,
    )
    assert [line.partition(",")[0] for line in server.said if " of " in line] == [
        "small: ada: 7 of 7",
        "small: bo: 0 of 7",
        "small: ada: 0 of 7",
    ]
    assert results(classroom) == {"ada": 0.0, "bo": 0.0}
    assert server.written == ["records", "report"] * 3


def test_a_file_that_is_being_copied_is_waited_for(classroom, serve):
    server, text = serve(), classroom.right
    steps = [lambda n=n: classroom.submit("ada", text[: n * len(text) // 8]) for n in range(1, 9)]
    rounds(server, *steps, *[nothing] * 4)
    assert results(classroom) == {"ada": 7.0}
    assert len(Store(classroom.course.results("small")).history("ada")) == 1


def test_one_that_was_killed_goes_on_where_it_was_and_grades_nothing_twice(classroom, serve):
    for student in ("ada", "bo", "cy"):
        classroom.submit(student)
    graded = []

    def killed(work, jobs, workers):
        for one in ENGINES["local"](work, jobs, workers):
            if len(graded) == 2:
                raise SystemExit  # what nobody catches
            graded.append(one.student)
            yield one

    with pytest.raises(SystemExit):
        rounds(serve(engine=killed), *[nothing] * 5)
    server = serve()
    rounds(server, *[nothing] * 5)
    told = [line for line in server.said if " of " in line]
    assert len(told) == 1
    store = Store(classroom.course.results("small"))
    assert all(len(store.history(student)) == 1 for student in ("ada", "bo", "cy"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UsageError("course.toml: a key must be something else"), "course.toml: a key must be"),
        (RuntimeError("nobody foresaw this"), "RuntimeError: nobody foresaw this"),
    ],
)
def test_a_round_that_fails_is_told_and_done_again(classroom, serve, error, said):
    classroom.submit("ada")
    failing = [error]

    def sometimes():
        if failing:
            raise failing.pop()
        return classroom.course

    server = serve(course=sometimes)
    rounds(server, *[nothing] * 5)
    assert any(line.startswith(f"stopped for a minute: {said}") for line in server.said)
    assert results(classroom) == {"ada": 7.0}


def test_an_assignment_that_cannot_be_graded_stops_no_other(classroom, serve):
    classroom.submit("ada")
    other = classroom.root / "submitted" / "ada" / "aaa" / "aaa.ipynb"
    other.parent.mkdir()
    other.write_text(classroom.right)
    build = classroom.course.bundle("aaa")
    build.parent.mkdir()
    build.write_bytes(b"no bundle")
    (classroom.root / "assignments" / "aaa").mkdir()
    (classroom.root / "assignments" / "aaa" / "aaa.py").write_text("")
    server = serve()
    rounds(server, *[nothing] * 5)
    assert results(classroom) == {"ada": 7.0}
    (said,) = (line for line in server.said if "aaa" in line)
    assert said.startswith("needs attention: aaa: ")


def test_where_nothing_is_safe_it_ends(classroom, serve):
    classroom.submit("ada")

    def unsafe(work, jobs, workers):
        raise UnsafeHere("no walls")

    with pytest.raises(UnsafeHere):
        rounds(serve(engine=unsafe), *[nothing] * 5)


def test_everything_is_looked_at_again_now_and_then(classroom, serve, monkeypatch):
    monkeypatch.setattr(serving, "FULL_SECONDS", 0.0)
    classroom.submit("ada")
    server = serve()
    rounds(server, *[nothing] * 4)
    shutil.rmtree(classroom.course.results("small"))  # nobody would touch the submission
    rounds(server, *[nothing] * 4)
    assert results(classroom) == {"ada": 7.0}


def test_an_assignment_that_is_not_compiled_yet_is_graded_when_it_is(classroom, serve, tmp_path):
    classroom.submit("ada")
    bundle = classroom.course.bundle("small")
    server = serve()
    bundle.rename(tmp_path / "bundle")
    rounds(server, *[nothing] * 4, lambda: (tmp_path / "bundle").rename(bundle), *[nothing] * 4)
    assert results(classroom) == {"ada": 7.0}


def attempt(exchange, student, time, text):
    folder = exchange / "inbound" / f"{student}+small+{time} UTC"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.ipynb").write_text(text)
    (folder / "timestamp.txt").write_text(f"{time} UTC")


def test_what_arrives_in_an_exchange_is_collected_when_it_is_whole(classroom, serve, tmp_path):
    exchange, early, late = (
        tmp_path / "dl",
        "2026-11-20 10:00:00.000001",
        "2026-11-20 11:00:00.000001",
    )
    (exchange / "inbound").mkdir(parents=True)
    server, text = serve(exchange), classroom.right
    growing = [
        lambda n=n: attempt(exchange, "bo", early, text[: n * len(text) // 4]) for n in range(1, 5)
    ]
    rounds(
        server,
        lambda: attempt(exchange, "ada", early, classroom.blank),
        nothing,
        *growing,  # ada's is taken meanwhile
        *[nothing] * 6,
        lambda: attempt(exchange, "ada", late, text),
        *[nothing] * 6,
    )
    assert results(classroom) == {"ada": 7.0, "bo": 7.0}
    store = Store(classroom.course.results("small"))
    assert [len(store.history(student)) for student in ("ada", "bo")] == [2, 1]
    lines = [line for line in server.said if " of " in line]
    assert [line.partition(",")[0] for line in lines] == [
        "small: ada: 0 of 7",
        "small: bo: 7 of 7",
        "small: ada: 7 of 7",
    ]


def test_once_waits_for_what_is_there_and_says_what_needs_attention(classroom, serve):
    classroom.submit("ada")
    (classroom.root / "submitted" / "bad\\name" / "small").mkdir(parents=True)
    server = serve()
    problems = server.once()
    assert results(classroom) == {"ada": 7.0}
    assert [str(problem) for problem in problems] == [r"small: bad\name is no student's name"]


def test_a_course_is_served_by_one_and_by_the_next_when_that_has_ended(classroom):
    with only_one(classroom.course):
        words = f"served already by process {os.getpid()}"
        with pytest.raises(UsageError, match=words), only_one(classroom.course):
            raise AssertionError
    with only_one(classroom.course):
        pass
