import os
import subprocess
import sys
import time

import msgspec
import pytest

from autograder.artefacts.results import Completed, Status, Verdict, dump_result
from autograder.errors import HarnessError, UsageError
from autograder.records.store import Store, submission_key
from autograder.sandbox.limits import Limits

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results" / "hw1"


@pytest.fixture
def store(folder):
    return Store(folder)


def test_what_is_put_is_found_under_its_key(store, folder, make):
    result = make.result()
    assert store.get("ada", KEY) is None
    assert store.put("ada", KEY, result) == result
    assert store.get("ada", KEY) == result
    assert store.get("ada", OTHER) is None
    assert store.newest() == {"ada": result}
    kept = folder / "history" / "ada" / f"{KEY}.json"
    assert kept.read_bytes() == (folder / "ada.json").read_bytes() == dump_result(result)


def test_what_a_gpu_has_completed_stays_complete(store, make):
    """Whichever run comes last: the one without a GPU knows less of the same attempt."""
    waiting = make.result("ada", make.sgd(), make.conv(Verdict.PENDING, 0.0, Status.PENDING))
    complete = make.result("ada", make.sgd(), make.conv(), device="cuda", status=Status.GRADED)
    store.put("ada", KEY, waiting)
    assert store.newest() == {"ada": waiting}
    store.put("ada", OTHER, complete)
    assert store.newest() == {"ada": complete}
    assert store.put("ada", KEY, waiting) == waiting
    assert store.get("ada", KEY) == waiting
    assert store.newest() == {"ada": complete}
    assert {r.device for r in store.history("ada")} == {"cpu", "cuda"}


@pytest.mark.parametrize(
    "nothing",
    [
        {"status": Status.NEEDS_ATTENTION, "fault": "2 GPUs were lost with it"},
        {"status": Status.UNGRADED},
        {"status": Status.UNGRADED, "completes": Completed("cpu", "2026-11-20T02:10:40Z", "b")},
    ],
    ids=["broke", "trial", "trial that completes"],
)
def test_a_run_on_a_gpu_that_decided_nothing_hides_no_run_without_one(store, make, nothing):
    waiting = make.result("ada", make.sgd(), make.conv(Verdict.PENDING, 0.0, Status.PENDING))
    on_gpu = msgspec.structs.replace(
        make.result("ada", make.sgd(), make.conv(), device="cuda"),
        graded_at="2026-11-01T00:00:00Z",
        **nothing,
    )
    store.put("ada", OTHER, on_gpu)
    store.put("ada", KEY, waiting)
    assert store.newest() == {"ada": waiting}
    assert [result for _, result in store.attempts("ada")] == [waiting]


def test_a_run_that_broke_while_it_completed_another_is_not_hidden_by_it(store, make):
    waiting = make.result("ada", make.sgd(), make.conv(Verdict.PENDING, 0.0, Status.PENDING))
    completing = msgspec.structs.replace(
        make.result("ada", make.sgd(), make.conv(Verdict.BROKEN, 0.0, Status.NEEDS_ATTENTION)),
        device="cuda",
        completes=Completed("cpu", waiting.graded_at, waiting.bundle),
    )
    store.put("ada", KEY, waiting)
    store.put("ada", OTHER, completing)
    store.get("ada", KEY)
    assert store.newest() == {"ada": completing}


def test_another_attempt_waits_for_the_gpu_again(store, make):
    complete = make.result("ada", make.sgd(), make.conv(), device="cuda", status=Status.GRADED)
    conv = make.conv(Verdict.PENDING, 0.0, Status.PENDING)
    attempt = make.result("ada", make.sgd(), conv, submission="sha256:" + "ef" * 32)
    store.put("ada", OTHER, complete)
    store.put("ada", KEY, attempt)
    assert store.newest() == {"ada": attempt}


def test_the_first_writer_of_a_key_wins(store, make):
    first, second = make.result(), make.result(graded_at="2026-11-21T00:00:00Z")
    store.put("ada", KEY, first)
    assert store.put("ada", KEY, second) == first
    assert store.newest() == {"ada": first}


def test_of_many_processes_one_writes_a_key_and_all_return_it(folder, make):
    program = (
        "import sys, msgspec, time; from pathlib import Path\n"
        "from autograder.records.store import Store\n"
        "from autograder.artefacts.results import dump_result, load_result\n"
        "folder, key, mine, start = sys.argv[1:]\n"
        "result = load_result(sys.stdin.buffer.read())\n"
        "result = msgspec.structs.replace(result, notes=(mine,))\n"
        "store = Store(Path(folder)); time.sleep(max(0, float(start) - time.time()))\n"
        "print(store.put('ada', key, result).notes[0])\n"
    )
    start, data = str(time.time() + 1.5), dump_result(make.result())
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder), KEY, str(n), start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for n in range(4)
    ]
    told = {writer.communicate(data)[0] for writer in writers}
    assert [writer.returncode for writer in writers] == [0] * 4
    (kept,) = (folder / "history" / "ada").iterdir()
    (winner,) = told
    assert store_notes(folder) == (winner.decode().strip(),)
    assert kept.read_bytes() == (folder / "ada.json").read_bytes()


def store_notes(folder):
    return Store(folder).newest()["ada"].notes


def test_a_new_key_is_appended_and_becomes_the_newest(store, make):
    first, second = make.result(), make.result(graded_at="2026-11-21T00:00:00Z")
    store.put("ada", KEY, first)
    store.put("ada", OTHER, second)
    assert store.newest() == {"ada": second}
    assert store.history("ada") == [first, second]
    assert store.get("ada", KEY) == first
    assert store.newest() == {"ada": first}, "what was asked for is the newest again"


def test_what_the_harness_broke_may_be_graded_again_under_its_key(store, make):
    broken, better = make.broken(), make.result()
    assert store.times("ada", KEY) == 0
    store.put("ada", KEY, broken)
    store.put("ada", KEY, broken)
    assert store.history("ada") == [broken]
    assert store.times("ada", KEY) == 1
    assert store.put("ada", KEY, better) == better
    assert store.times("ada", KEY) == 2
    assert store.get("ada", KEY) == better
    assert store.put("ada", KEY, make.result(notes=("later",))) == better
    assert len(store.history("ada")) == 2


def test_what_cannot_be_read_is_decided_and_stands_under_its_key(store, make):
    first = store.put("ada", KEY, make.unreadable())
    assert store.put("ada", KEY, make.unreadable(note="later")) == first


@pytest.mark.parametrize("damage", [os.unlink, lambda p: os.truncate(p, 20), None])
def test_a_kill_between_the_two_writes_is_put_right(store, folder, make, damage):
    store.put("ada", OTHER, make.result(graded_at="2026-11-19T00:00:00Z"))
    old = (folder / "ada.json").read_bytes()
    result = store.put("ada", KEY, make.result())
    newest = folder / "ada.json"
    if damage:
        damage(newest)
    else:
        newest.write_bytes(old)
    assert Store(folder).get("ada", KEY) == result
    assert newest.read_bytes() == dump_result(result)


def test_put_puts_the_newest_right_too(store, folder, make):
    result = store.put("ada", KEY, make.result())
    (folder / "ada.json").unlink()
    store.put("ada", KEY, make.result(notes=("late",)))
    assert store.newest() == {"ada": result}


def test_a_damaged_file_is_named_and_not_lost(store, folder, make):
    store.put("ada", KEY, make.result())
    kept = folder / "history" / "ada" / f"{KEY}.json"
    os.truncate(kept, 50)
    for read in (
        lambda: store.get("ada", KEY),
        lambda: store.put("ada", KEY, make.result()),
    ):
        with pytest.raises(HarnessError, match=f"{KEY}.json is damaged"):
            read()
    assert kept.stat().st_size == 50
    (folder / "ada.json").write_bytes(b"{}")
    with pytest.raises(HarnessError, match=r"ada\.json is damaged"):
        store.newest()


def test_a_file_with_the_result_of_another_is_refused(store, folder, make):
    store.put("ada", KEY, make.result())
    (folder / "bo.json").write_bytes((folder / "ada.json").read_bytes())
    with pytest.raises(HarnessError, match=r"bo\.json is damaged: it is that of 'ada'"):
        store.newest()
    with pytest.raises(UsageError, match="cannot be stored as 'bo'"):
        store.put("bo", KEY, make.result("ada"))


@pytest.mark.parametrize(
    "name", ["Zoë Müller", " ", ".hidden", "..x", ".tmp-1", "-rf", "a\nb", "名" * 83, "a.json"]
)
def test_any_folder_name_is_a_student(store, folder, make, name):
    result = store.put(name, KEY, make.result(name))
    assert Store(folder).newest() == {name: result}
    assert store.history(name) == [result]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../bo", "/etc", "a\\b", "a\0", "\udcff", "x" * 251]
)
def test_a_name_that_is_no_folder_name_is_refused(store, make, name):
    for use in (lambda: store.get(name, KEY), lambda: store.put(name, KEY, make.result(name))):
        with pytest.raises(UsageError):
            use()


@pytest.mark.parametrize("key", ["", "A" * 64, "a" * 63, "../" + "a" * 61, "a" * 64 + "\n"])
def test_a_key_is_a_sha256(store, make, key):
    with pytest.raises(UsageError, match="64 hexadecimal"):
        store.put("ada", key, make.result())


def test_what_killed_writers_left_is_cleaned_when_it_is_old(store, folder, make):
    store.put("ada", KEY, make.result())
    store.put(".tmp-bo", KEY, make.result(".tmp-bo"))
    before = set(folder.rglob("*"))
    two_hours_ago = time.time() - 7200
    for place in (folder, folder / "history" / "ada"):
        for name in (".tmp-1-old", ".tmp-1-new"):
            (place / name).write_bytes(b"half")
        os.utime(place / ".tmp-1-old", (two_hours_ago, two_hours_ago))
    os.utime(folder / ".tmp-bo.json", (two_hours_ago, two_hours_ago))
    os.utime(folder / "history" / ".tmp-bo", (two_hours_ago, two_hours_ago))
    Store(folder)
    left = {path.name for path in set(folder.rglob("*")) - before}
    assert left == {".tmp-1-new"}
    assert before <= set(folder.rglob("*"))


def test_a_write_leaves_no_temporary_file(store, folder, make):
    store.put("ada", KEY, make.result())
    store.put("ada", KEY, make.result(notes=("again",)))
    assert not [path for path in folder.rglob("*") if path.name.startswith(".tmp-")]


def test_the_history_is_written_once_and_the_newest_never_in_place(store, folder, make):
    store.put("ada", KEY, make.result())
    kept, newest = folder / "history" / "ada" / f"{KEY}.json", folder / "ada.json"
    assert not os.path.samefile(kept, newest), "an edit of one would edit the other"
    inode = kept.stat().st_ino
    store.put("ada", OTHER, make.result(status=Status.GRADED))
    assert kept.stat().st_ino == inode


def test_a_key_tells_apart_whatever_decides_a_grade():
    base = ("sha256:1", "sha256:2", "0.1.0", Limits(), "cpu", "abc")
    others = ("sha256:3", "sha256:4", "0.2.0", Limits(cpu_seconds=7), "cuda", "abd")
    keys = {submission_key(*base)}
    for place, other in enumerate(others):
        keys.add(submission_key(*base[:place], other, *base[place + 1 :]))
    assert len(keys) == 7
    assert all(len(key) == 64 for key in keys)
    assert submission_key("ab", "c", *base[2:]) != submission_key("a", "bc", *base[2:])
    assert submission_key(*base) == submission_key(*base[:3], Limits(), *base[4:])


@pytest.mark.parametrize("kind", ["text", "bytes", "folder", "pipe", "another's"])
def test_a_damaged_newest_result_is_told_and_leaves_the_others(store, folder, make, kind):
    result = store.put("ada", KEY, make.result())
    bad = folder / "bo.json"
    if kind == "folder":
        bad.mkdir()
    elif kind == "pipe":
        os.mkfifo(bad)
    else:
        bad.write_bytes({"text": b"[]", "bytes": b'{"student": "\xff"}'}.get(kind, b""))
    if kind == "another's":
        bad.write_bytes((folder / "ada.json").read_bytes())
    damaged = {}
    assert store.newest(damaged) == {"ada": result}
    assert damaged.keys() == {"bo"}
    assert damaged["bo"].startswith("the stored result results/hw1/bo.json is damaged: ")
    with pytest.raises(HarnessError):
        store.newest()
    with pytest.raises(HarnessError):
        store.shown("bo")
    assert store.shown("ada") == result


def test_finding_a_result_writes_nothing(store, folder, make):
    result = store.put("ada", KEY, make.result())
    (folder / "ada.json").unlink()
    assert store.find("ada", KEY) == result
    assert store.find("ada", OTHER) is None
    assert not (folder / "ada.json").exists()
    assert store.get("ada", KEY) == result
    assert (folder / "ada.json").exists()


def test_a_folder_that_is_no_folder_is_not_an_empty_one(store, folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    with pytest.raises(OSError, match="Not a directory"):
        store.newest()
