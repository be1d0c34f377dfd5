"""A grader that stays up: what arrives is graded once it is whole, once."""

import errno
import itertools
import os
import shutil
import time
import unicodedata
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.collecting import exchange as exchanges
from autograder.collecting.trees import folder_tree as tree
from autograder.engines import arrivals, incoming, serving
from autograder.engines.arrivals import Arrivals, looks_of_submitted
from autograder.engines.grader import given_up
from autograder.engines.incoming import Incoming
from autograder.engines.lines import Lines
from autograder.engines.record import Records
from autograder.engines.retries import Retries
from autograder.engines.run import grade_assignment
from autograder.engines.serving import Server
from autograder.engines.table import ENGINES
from autograder.engines.work import Graded
from autograder.errors import HarnessError, UnsafeHere, UsageError
from autograder.grading.intake import read_submitted
from autograder.records.store import Store
from autograder.sandbox.limits import Limits


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Time:
    """What `time` is to a server: it goes on when somebody sleeps, until all is graded."""

    def __init__(self):
        self.monotonic, self.servers, self.slept = Clock(), [], []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.monotonic.now += seconds
        for server in self.servers:
            server.settle()


@pytest.fixture
def clock(monkeypatch):
    found = Time()
    monkeypatch.setattr(serving, "time", found)
    monkeypatch.setattr(incoming, "time", found)
    return found


def settle(server):
    """Wait until all that a server has given to its engine is graded, or the engine has ended."""

    def is_settled(line):
        ended = any(not isinstance(one, Graded) for one in list(line._results.queue))
        return ended or len(line._results.queue) >= line.left.total()

    wait_for(lambda: all(map(is_settled, server.lines._lines)))


def wait_for(so):
    deadline = time.monotonic() + 60
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def serve(classroom, quickly, clock, monkeypatch):
    """Return a function that makes a server, which grades without sessions."""

    def records(*_):
        written.append("records")
        return Records({}, {})

    written = []
    monkeypatch.setattr(serving, "bring_up_to_date", records)
    monkeypatch.setattr(serving, "bring_report_up_to_date", lambda *_: written.append("report"))

    def serve(exchange=None, names=(), engine=None, course=None):
        said, now = [], clock.monotonic
        server = Server(
            course or (lambda: classroom.course),
            names,
            "cpu",
            Lines(engine or ENGINES["local"], 2, now),
            said.append,
            exchange and Incoming(exchange, said.append, Arrivals(2.0, now)),
            Arrivals(2.0, now),
            Retries(now),
        )
        server.said, server.written, server.settle = said, written, partial(settle, server)
        clock.servers[:] = [server]
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


def test_records_that_a_full_disk_has_held_up_are_written_when_there_is_room(
    classroom, serve, monkeypatch
):
    classroom.submit("ada")
    server, failing = serve(), [OSError(errno.ENOSPC, "No space left on device")] * 2
    write = serving.bring_up_to_date

    def records(*arguments):
        if failing:
            raise failing.pop()
        return write(*arguments)

    monkeypatch.setattr(serving, "bring_up_to_date", records)
    rounds(server, *[nothing] * 7)
    assert server.written == ["records", "report"]
    assert len([line for line in server.said if "No space left" in line]) == 2
    assert server.said[-1].startswith("small: 1 graded and recorded in")


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


def told(server):
    return [line.partition(",")[0] for line in server.said if " of " in line]


def test_what_arrives_while_others_are_graded_is_graded_meanwhile_in_the_order_of_its_arrival(
    classroom, serve
):
    """One slow submission holds none of the others, nor their pages."""
    given, slow = [], []

    def engine(work, feed, workers):
        for job in feed:
            given.append(job.student)
            if job.student == "ada":
                slow.append(job)
            else:
                yield from ENGINES["local"](work, [job], 1)
        yield from ENGINES["local"](work, slow, 1)

    def submit(*students):
        for student in students:
            classroom.submit(student)
            time.sleep(0.01)  # by which their files are told apart

    server = serve(engine=engine)
    server.settle = lambda: wait_for(
        lambda: (
            sum(line.left.total() - line._results.qsize() for line in server.lines._lines)
            <= len(slow)
        )
    )
    rounds(
        server,
        lambda: submit("zoe", "ada", "yan"),
        *[nothing] * 4,
        lambda: submit("bo"),
        *[nothing] * 4,
        lambda: classroom.submit("ada", classroom.blank),
        *[nothing] * 4,
    )
    assert given == ["zoe", "ada", "yan", "bo"]
    assert told(server) == ["small: zoe: 7 of 7", "small: yan: 7 of 7", "small: bo: 7 of 7"]
    assert server.written == ["records", "report"] * 2
    for line in server.lines._lines:
        line.close()
    server.settle = partial(settle, server)
    rounds(server, *[nothing] * 4)
    assert given == ["zoe", "ada", "yan", "bo"], "what is in its place is read when it is graded"
    assert told(server)[3:] == ["small: ada: 0 of 7"]


def test_a_run_that_ends_early_is_told_and_what_it_left_is_graded_again(classroom, serve):
    classroom.submit("ada")
    failing = [HarnessError("the fork server did not come up in 30 s")]

    def engine(work, feed, workers):
        if failing:
            raise failing.pop()
        yield from ENGINES["local"](work, feed, workers)

    server = serve(engine=engine)
    rounds(server, *[nothing] * 5)
    assert results(classroom) == {}
    rounds(server, *[nothing] * 60)
    assert results(classroom) == {"ada": 7.0}
    said = [line for line in server.said if "fork server" in line]
    assert said == ["needs attention: small: the fork server did not come up in 30 s"]


def test_a_run_that_fails_each_time_is_tried_less_and_less_and_said_once(classroom, serve):
    classroom.submit("ada")
    tries = []

    def engine(work, feed, workers):
        tries.append(work)
        raise HarnessError("the bundle cannot run here")
        yield

    server = serve(engine=engine)
    rounds(server, *[nothing] * 2500)
    assert len(tries) == 6, "after 1, 2, 4, 8 and 16 minutes"
    assert [line for line in server.said if "cannot run here" in line] == server.said[:1]


def test_what_breaks_each_time_is_tried_again_later_each_time_and_is_said_once(classroom, serve):
    classroom.submit("ada")
    tries = []

    def engine(work, feed, workers):
        for job in feed:
            tries.append(now())
            submitted = read_submitted(job.path)
            yield given_up(read_bundle(work.bundle), job, submitted, "cpu", "it broke")

    server = serve(engine=engine)
    now = server.retries._clock
    rounds(server, *[nothing] * 1200)
    pauses = [b - a for a, b in pairwise(tries)]
    assert [round(pause / 60) for pause in pauses] == [1, 2, 4, 8]
    assert len(told(server)) == 1
    classroom.submit("ada", classroom.blank)
    rounds(server, *[nothing] * 4)
    assert len(tries) == 6, "what is submitted again waits for nothing"


def test_what_broke_is_tried_again_at_most_every_six_hours_until_it_goes_well():
    clock = Clock()
    retries = Retries(clock)
    retries.broke(["ada"])
    pauses = []
    while len(pauses) < 12:
        clock.now += (pause := next(p for p in (60 * 2**n for n in range(9)) if p))
        due = retries.take_due()
        if due:
            assert retries.take_due() == [], "once"
            retries.broke(due)
        pauses.append(pause)
    clock.now += 6 * 3600
    assert retries.take_due() == ["ada"]
    retries.went_well(["ada"])
    assert "ada" not in retries


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_graded_however_its_accent_is_written(classroom, serve, form):
    classroom.submit(unicodedata.normalize(form, "andré"))
    rounds(serve(), *[nothing] * 4)
    assert list(map(partial(unicodedata.normalize, "NFC"), results(classroom))) == ["andré"]


def test_results_stand_that_were_made_under_other_settings_until_staff_ask(classroom, serve):
    classroom.submit("ada")
    course = [classroom.course]
    server = serve(course=lambda: course[0])
    rounds(server, *[nothing] * 4)
    course[0] = replace(
        classroom.course, limits=Limits(call_seconds=1.0), secret=b"another one " * 2
    )
    rounds(serve(course=lambda: course[0]), *[nothing] * 4)
    server = serve(course=lambda: course[0])
    rounds(server, *[nothing] * 4, lambda: classroom.submit("bo"), *[nothing] * 4)
    store = Store(classroom.course.results("small"))
    assert [len(store.history(student)) for student in ("ada", "bo")] == [1, 1]
    (said,) = [line for line in server.said if "stand" in line]
    assert said.endswith("end this and run: autograder grade small")
    course[0] = classroom.course
    assert grade_assignment(course[0], "small", Quiet(), ["bo"]).graded == ("bo",)


class Quiet:
    def begin(self, total):
        pass

    advance = say = begin


def test_a_file_that_never_stops_changing_is_given_up_and_said_once(classroom, serve):
    """Others are graded; once ends, and watch goes on."""
    count = itertools.count()

    def change(sleep):
        def slept(seconds):
            classroom.submit("ada", classroom.blank + " " * next(count))
            sleep(seconds)

        return slept

    classroom.submit("bo")
    server = serve()
    serving.time.sleep = change(serving.time.sleep)
    (problem,) = server.once()
    assert str(problem) == "small: ada is still written to, and is graded when that ends"
    rounds(server, *[nothing] * 10)
    assert results(classroom) == {"bo": 7.0}
    assert len([line for line in server.said if "still written to" in line]) == 1


def test_an_exchange_that_cannot_be_read_is_said_once_and_when_it_is_back(
    classroom, serve, tmp_path
):
    exchange, away = tmp_path / "dl", tmp_path / "away"
    (exchange / "inbound").mkdir(parents=True)
    server = serve(exchange)
    early = "2026-11-20 10:00:00.000001"
    attempt(exchange, "ada", early, classroom.right)
    rounds(
        server,
        *[nothing] * 4,
        lambda: exchange.rename(away),
        lambda: classroom.submit("bo"),
        *[nothing] * 4,
        lambda: away.rename(exchange),
        *[nothing] * 4,
    )
    assert results(classroom) == {"ada": 7.0, "bo": 7.0}
    said = [line for line in server.said if line.startswith(("needs", "the exchange"))]
    assert len(said) == 2, server.said
    assert said[0].startswith(
        "needs attention: the exchange cannot be read, and is looked at again"
    )
    assert said[1] == "the exchange can be read again"
    exchange.rename(away)
    assert [str(one)[:28] for one in server.once()] == ["the exchange cannot be read,"]


def test_a_roster_that_is_wrong_keeps_nobody_from_being_graded(classroom, serve, tmp_path):
    exchange, roster = tmp_path / "dl", classroom.root / "roster.csv"
    (exchange / "inbound").mkdir(parents=True)
    attempt(exchange, "ada", "2026-11-20 10:00:00.000001", classroom.right)
    roster.write_text("nothing\n")
    classroom.submit("bo")
    server = serve(exchange)
    rounds(server, *[nothing] * 6)
    assert results(classroom) == {"bo": 7.0}
    (said,) = [line for line in server.said if "collected" in line]
    assert "needs attention: nothing is collected from" in said
    roster.unlink()
    rounds(server, *[nothing] * 6)
    assert results(classroom) == {"ada": 7.0, "bo": 7.0}


def test_of_an_exchange_only_what_is_new_is_read(classroom, serve, tmp_path, monkeypatch):
    exchange, trees, walks = tmp_path / "dl", [], []
    (exchange / "inbound").mkdir(parents=True)
    monkeypatch.setattr(
        exchanges, "folder_tree", lambda path, place: trees.append(path.name) or tree(path, place)
    )
    walk = os.walk
    monkeypatch.setattr(arrivals.os, "walk", lambda top: walks.append(top.name) or walk(top))
    server = serve(exchange)
    times = [f"2026-11-20 1{hour}:00:00.000001" for hour in range(3)]
    attempt(exchange, "ada", times[0], classroom.right)
    rounds(server, *[nothing] * 5)
    walks.clear()
    rounds(server, lambda: attempt(exchange, "bo", times[1], classroom.right), *[nothing] * 5)
    assert trees == [f"ada+small+{times[0]} UTC", f"bo+small+{times[1]} UTC"]
    assert {name for name in walks if "+" in name} == {f"bo+small+{times[1]} UTC"}
    assert results(classroom) == {"ada": 7.0, "bo": 7.0}


def test_a_collection_that_takes_long_makes_looks_no_rarer(
    classroom, serve, clock, tmp_path, monkeypatch
):
    exchange, collect = tmp_path / "dl", incoming.collect

    def slowly(*arguments, **options):
        clock.monotonic.now += 50
        return collect(*arguments, **options)

    monkeypatch.setattr(incoming, "collect", slowly)
    attempt(exchange, "ada", "2026-11-20 10:00:00.000001", classroom.right)
    rounds(serve(exchange), *[nothing] * 6)
    assert results(classroom) == {"ada": 7.0}
    assert set(clock.slept) == {serving.PAUSE_SECONDS}


def test_an_attempt_that_is_changed_is_seen_when_everything_is_looked_at(
    classroom, serve, tmp_path, monkeypatch
):
    exchange = tmp_path / "dl"
    (exchange / "inbound").mkdir(parents=True)
    early = "2020-11-20 10:00:00.000001"
    attempt(exchange, "ada", early, classroom.blank)
    server = serve(exchange)
    rounds(server, *[nothing] * 5)
    placed = classroom.root / "submitted" / "ada" / "small" / "timestamp.txt"
    assert placed.read_text().startswith("2020-11-20")
    attempt(exchange, "ada", early, classroom.right)
    monkeypatch.setattr(serving, "FULL_SECONDS", 0.0)
    rounds(server, *[nothing] * 8)
    assert results(classroom) == {"ada": 7.0}
    assert not placed.read_text().startswith("2020-11-20"), "the time of the change counts"


def test_of_a_folder_with_many_files_the_notebook_is_looked_at(classroom, monkeypatch):
    monkeypatch.setattr(arrivals, "MOST_FILES", 10)
    classroom.submit("ada")
    folder = classroom.path("ada").parent
    for number in range(30):
        (folder / f"{number}").mkdir()
        (folder / f"{number}.csv").write_text("1")
        (folder / f"{number}.ipynb").write_text("1")

    def look():
        return looks_of_submitted(classroom.course, ["small"])["small", "ada"]

    before = look()
    with classroom.path("ada").open("a") as file:
        file.write(" ")
    assert look() != before
    assert len(before) == 11
