import contextlib
import errno
import os
import resource
import signal
import time

import numpy as np
import pytest

from autograder.authoring.subject import Subject
from autograder.errors import HarnessError, StudentError, StudentKilled, StudentTimeout
from autograder.grading.notes import ENDED_LATER, notes_of
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.client.unforked import UnforkedSession
from autograder.sandbox.isolation.cgroup import ControlGroup
from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import Limits

DEADLY = {
    "os._exit": ("import os; os._exit(3)", "its process left with exit code 3"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "it was ended by SIGSEGV"),
    "abort": ("import os; os.abort()", "it was ended by SIG"),
    "endless loop": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "it ran for more than 2 s",
    ),
}


def call(session, name, *args, seconds=None):
    with session.check(seconds) as check:
        return getattr(Subject(check), name)(*args)


@pytest.mark.parametrize(("cell", "words"), DEADLY.values(), ids=DEADLY)
def test_a_cell_that_ends_the_session_is_left_out_and_the_rest_runs(run, cell, words):
    session = run("x = 1", cell, "y = x + 1")
    with session.check() as check:
        assert (check.get("x"), check.get("y")) == (1, 2)
    assert session.runs[2].ended.startswith(words)
    assert session.runs[3].ended is None


SUICIDE = """
import contextlib, os
for number in (9, 15, 19, 40):
    for process in (1, os.getpid(), -1):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
y = 2
"""


def test_a_notebook_that_kills_all_that_it_sees_cannot_reach_its_session(run):
    session = run("x = 1", SUICIDE)
    assert session.runs[2].ended is None
    with session.check() as check:
        assert (check.get("x"), check.get("y")) == (1, 2)


HOG = "hog = bytearray(8 << 30)"


def test_memory_that_a_cell_takes_without_end_is_refused_to_it(run):
    session = run("x = 1", HOG, "y = 2")
    assert session.runs[2].error.startswith("MemoryError"), session.runs[2]
    assert session.runs[3].ended is None


FILES = """
import errno
held = 0
try:
    for number in range(100_000):
        with open(f"file{number}", "wb") as file:
            file.write(bytes(1 << 20))
        held += 1
except OSError as error:
    reason = error.errno
"""


def test_the_files_of_a_session_have_a_bound(run, fork_server):
    session = run(FILES)
    with session.check() as check:
        assert check.get("reason") == errno.ENOSPC
        assert check.get("held") <= fork_server.limits.disk_mb


def test_every_cell_but_the_deadly_ones_counts_however_many_there_are(run):
    cells = ["x = 1"] + ["import os; os._exit(0)"] * 10
    session = run(*cells)
    for _ in range(3):
        try:
            with session.check() as check:
                assert check.get("x") == 1
            break
        except StudentError:
            continue
    else:
        pytest.fail("no check of the notebook was answered")


def test_a_notebook_that_uses_up_its_time_is_a_timeout_of_its_checks(run):
    session = run("x = 1", "while True: pass", seconds=0.5)
    with pytest.raises(StudentTimeout, match=r"^the submission ran out of its time$"):
        call(session, "x")


FORGED = """
import os, socket, struct
from autograder.sandbox.protocol import kinds as p

def say(message):
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                header, _ = p.encode(message)
                os.write(int(name), struct.pack("<II", len(header), 0) + header)
        except OSError:
            pass
"""
FOREIGN = "it wrote to the grader's channel"


@pytest.mark.parametrize(
    "messages",
    [
        "p.Value('passed')",
        "p.Started(1)",
        "p.Get('x')",
        "p.Cell(99)",
        "p.Cell(1)",
        "p.Done(printed=2**60), p.Done()",
        "p.Ran()",
    ],
)
def test_a_message_that_is_not_the_next_ends_the_session(run, messages):
    session = run("x = 1", f"{FORGED}\nfor message in [{messages}]:\n    say(message)", "y = 2")
    assert set(session.runs) <= {1, 2, 3}
    assert session.runs[2].ended == FOREIGN
    with session.check() as check:
        assert check.get("y") == 2


def test_bytes_that_are_no_message_end_the_session(run):
    session = run(
        FORGED.replace("struct.pack", "b'garbage!' * 9 + struct.pack") + "\nsay(p.Ran())",
        "y = 2",
    )
    assert session.runs[1].ended == FOREIGN
    with session.check() as check:
        assert check.get("y") == 2


CALLS = """
import os, time, ctypes
import numpy as np

def fine():
    return 1

def leave():
    os._exit(0)

def loop():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

def crash():
    ctypes.string_at(0)

def hungry():
    return np.ones(1 << 30)

def hungry_children():
    children = set()
    for _ in range(6):
        child = os.fork()
        if child == 0:
            kept = np.ones(50 << 20)  # 400 MB each, where all together may have 1024
            time.sleep(60)
        children.add(child)
    until = time.monotonic() + 30
    while len(children) > 2 and time.monotonic() < until:
        children -= {child for child in children if os.waitpid(child, os.WNOHANG)[0]}
        time.sleep(0.01)
    return len(children)

def flood():
    for _ in range(200):
        print("x" * 100_000)
        os.write(1, b"y" * 100_000)
    return 1

def large_file():
    with open("file", "wb") as file:
        for _ in range(20):
            file.write(bytes(1 << 20))
            file.flush()

def bomb():
    for _ in range(100):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
    return 1
"""


def assert_fine(session):
    assert call(session, "fine") == 1
    assert all(run.ended is None for run in session.runs.values())


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("leave", StudentKilled, "the code ended its own process"),
        ("crash", StudentKilled, "the code ended its own process"),
        ("loop", StudentTimeout, "ran for more than 0.5 s"),
        ("hungry", StudentError, "memory|MemoryError"),
        ("large_file", StudentError, "OSError: .*File too large"),
    ],
)
def test_a_call_that_ends_badly_costs_its_own_check_only(run, name, error, words):
    session = run(CALLS)
    with pytest.raises(error, match=words):
        call(session, name, seconds=0.5 if name == "loop" else None)
    assert_fine(session)


def test_a_call_that_prints_without_end_is_not_kept_and_harms_nobody(run):
    session = run(CALLS)
    assert call(session, "flood") == 1
    assert_fine(session)


def needs_process_limit(processes):
    """Skip where nothing would stop a fork bomb: root is under no RLIMIT_NPROC."""
    group = ControlGroup.create(Limits(processes=processes))
    if group is not None:
        group.remove()
    elif os.getuid() == 0:
        pytest.skip("no control group, and root is not bound by RLIMIT_NPROC")
    return group is not None


def test_a_fork_bomb_in_a_call_is_stopped_and_gone_at_the_next_check(run, fork_server):
    needs_process_limit(fork_server.limits.processes)
    session = run(CALLS)
    with pytest.raises(StudentError, match=r"^BlockingIOError"):
        call(session, "bomb")
    assert_fine(session)
    with pytest.raises(StudentError, match=r"^BlockingIOError"):
        call(session, "bomb")
    assert_fine(session)


def test_children_together_may_use_no_more_memory_than_one_process(run, fork_server):
    if not needs_process_limit(fork_server.limits.processes):
        pytest.skip("no control group: memory is bounded for each process only")
    session = run(CALLS)
    with contextlib.suppress(StudentKilled):  # where the kernel chose the parent
        assert call(session, "hungry_children", seconds=45) <= 2
    assert_fine(session)


def test_a_session_without_answer_is_ended_when_its_submission_has_no_time_left(run):
    session = run("import time\ndef f(): time.sleep(60)", seconds=1.0)
    with pytest.raises(StudentTimeout, match=r"^the submission ran out of its time$"):
        call(session, "f")


COUNTER = "count = [0]\ndef bump():\n    count[0] += 1\n    return count[0]"


def test_every_check_starts_from_the_state_behind_the_notebook(run):
    session = run(COUNTER)
    for _ in range(2):
        with session.check() as check:
            student = Subject(check)
            assert [student.bump(), student.bump()] == [1, 2]


THREAD = """
import threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
mark = time.monotonic()
"""


def test_a_notebook_with_a_thread_is_run_again_for_each_check(run):
    session = run(THREAD, COUNTER)
    marks = set()
    for _ in range(2):
        with session.check() as check:
            student = Subject(check)
            assert [student.bump(), student.bump()] == [1, 2]
            marks.add(student.mark)
    assert len(marks) == 2
    assert session.anew


def test_of_a_cell_that_ends_a_later_run_nothing_is_told_but_what_it_said_in_the_first(run):
    session = run(THREAD, "raise KeyError('first')", "y = 2")
    notes = []
    for cell in (2, 3):
        with session.check():
            pass
        # Its code finds out, by whatever way there is, that hidden inputs were seen.
        session._cells[cell - 1] = CodeCell(cell, f"import os; os._exit({cell})")
        with session.check() as check:
            assert check.get("mark") > 0
        notes.append(notes_of(session, Limits()))
    assert session.runs[2].later
    assert session.runs[3].later
    assert notes[0] == notes[1]
    assert notes[0][1:] == ("cell 2 raised KeyError: 'first'", ENDED_LATER)


def test_a_notebook_without_a_thread_is_run_once(run):
    session = run("import time\nmark = time.monotonic()")
    marks = []
    for _ in range(2):
        with session.check() as check:
            marks.append(check.get("mark"))
    assert len(set(marks)) == 1
    assert not session.anew


def test_a_notebook_with_a_thread_is_run_once_for_each_check_and_not_more(run, monkeypatch):
    opened = []
    monkeypatch.setattr(
        NotebookSession, "_open", lambda self, o=NotebookSession._open: opened.append(o(self))
    )
    session = run(THREAD)
    for _ in range(2):
        with session.check() as check:
            check.get("mark")
    assert len(opened) == 2


MORTAL = """
import os, signal
signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
def fine(): return 1
"""


def end_during_check(session, number, fork_server, gone):
    """Send a signal to the process of the session that runs, and wait for its end."""
    with session.check():
        (process,) = children_of(fork_server._process.pid)
        oldest = min(children_of(process))  # the other one is in reserve
        os.kill(oldest, number)
        assert gone(oldest)


def test_a_session_that_dies_between_two_checks_is_opened_again(run, fork_server, gone):
    session = run(MORTAL)
    end_during_check(session, signal.SIGTERM, fork_server, gone)
    assert call(session, "fine") == 1


def test_a_session_that_is_killed_from_outside_is_opened_again_too(run, fork_server, gone):
    session = run(MORTAL)
    end_during_check(session, signal.SIGKILL, fork_server, gone)
    assert call(session, "fine") == 1


def test_who_kills_sessions_again_and_again_breaks_the_harness_and_no_notebook(
    run, fork_server, gone, monkeypatch
):
    if not fork_server.isolation.has_own_processes or fork_server._cgroup is None:
        pytest.skip("only with namespaces and a control group is it known who killed a session")
    ran = NotebookSession._run

    def kill_first(self, channel, *arguments):
        (process,) = children_of(fork_server._process.pid)
        oldest = min(children_of(process))  # the other one is in reserve
        os.kill(oldest, signal.SIGKILL)
        assert gone(oldest)
        return ran(self, channel, *arguments)

    monkeypatch.setattr(NotebookSession, "_run", kill_first)
    with pytest.raises(HarnessError, match="killed from outside"):
        run("x = 1")


def test_memory_that_an_earlier_session_used_up_is_not_laid_to_the_next(
    run, fork_server, monkeypatch
):
    if fork_server._cgroup is None:
        pytest.skip("without a control group nobody knows what memory ended")
    run("x = 1")
    earlier = fork_server._cgroup.kills() + 1  # of a child of its, and nobody asked
    monkeypatch.setattr(fork_server._cgroup, "kills", lambda: earlier)
    session = run("import os; os.abort()")
    assert session.runs[1].ended.startswith("it was ended by SIG")


def environment(notebook):
    import contextlib
    import os
    import sys
    from pathlib import Path

    links = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself
            links.append(os.readlink(f"/proc/self/fd/{name}"))
    command = Path("/proc/self/cmdline").read_text()
    return dict(os.environ), links, command, sys.argv, os.getcwd(), os.listdir()


def test_a_session_has_nothing_of_the_graders(run, monkeypatch):
    session = run("x = 1")
    with session.check() as check:
        variables, links, command, arguments, folder, files = check.apply(environment, (), {})
    ours = set(os.environ) - {"PATH", "HOME", "LANG", "TMPDIR", "MPLBACKEND"}
    ours -= {name for name in variables if name.endswith("_NUM_THREADS")}
    assert not ours & set(variables) - {"CUDA_VISIBLE_DEVICES", "PYTHONDONTWRITEBYTECODE"}
    assert variables["HOME"] == variables["TMPDIR"] == folder
    assert sum(link.startswith("socket:") for link in links) == 1
    others = [k for k in links if not k.startswith("socket:") and k != "/dev/null"]
    assert all(link.startswith("/proc/") for link in others), others
    assert "pytest" not in command + " ".join(arguments)
    assert files == []


def test_two_sessions_share_no_file(run):
    one = run("open('mine', 'w').write('1'); open('/dev/shm/mine', 'w').write('1')")
    assert one.runs[1].error is None
    two = run("import os\nfiles = os.listdir() + os.listdir('/tmp') + os.listdir('/dev/shm')")
    with two.check() as check:
        assert "mine" not in check.get("files")


LEFT_BEHIND = """
import os, time

def child():
    if os.fork() == 0:
        os._exit(0)
    return 1

def grandchild():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    return 1

def helpers():
    for _ in range(20):
        if os.fork() == 0:
            os._exit(0)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return 1
"""


@pytest.mark.parametrize("name", ["child", "grandchild"])
def test_what_a_call_leaves_behind_is_no_more_at_the_next_check(run, fork_server, name):
    """A right answer that starts a process in each case is right in all of them."""
    most = fork_server.limits.processes
    needs_process_limit(most)
    session = run(LEFT_BEHIND)
    assert [call(session, name) for _ in range(2 * most)] == [1] * 2 * most
    assert call(session, "helpers") == 1


def test_a_session_waits_for_no_process_of_the_notebooks_own(run):
    session = run(LEFT_BEHIND, "if (own := os.fork()) == 0:\n    os._exit(7)")
    assert call(session, "child") == 1
    session._cells.append(CodeCell(3, "code = os.waitstatus_to_exitcode(os.waitpid(own, 0)[1])"))
    session.run_to(3)
    with session.check() as check:
        assert check.get("code") == 7


def test_what_was_asked_of_a_session_itself_stays_where_a_fork_of_it_ends(fork_server):
    """As in a course of nbgrader's, where what a test starts is there for those below."""
    cells = [
        CodeCell(
            1,
            "import subprocess\ndef begin():\n    global p\n    p = subprocess.Popen"
            "(['/bin/sleep', '600'])\n    return p.poll()",
        )
    ]
    with UnforkedSession(fork_server, cells, time.monotonic() + 60) as session:
        assert Subject(session.itself(5.0)).begin() is None
        for _ in range(2):
            with session.check() as check:
                check.get("begin")
        assert session.itself(5.0).apply(_polled, (), {}) is None


def _polled(notebook):
    return notebook.p.poll()


DAEMONS = """
import os, signal, time
r, w = os.pipe()
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)
        if os.fork() == 0:
            os.write(w, b"%d " % os.getpid())
            time.sleep(600)
        os._exit(0)
    os.wait()
text = b""
while text.count(b" ") < 5:
    text += os.read(r, 100)
daemons = [int(pid) for pid in text.split()]
"""


def test_daemons_are_gone_when_the_session_is_closed(run, fork_server, descendants):
    before = len(descendants(fork_server._process.pid))
    session = run(DAEMONS)
    with session.check() as check:
        assert len(check.get("daemons")) == 5
    assert len(descendants(fork_server._process.pid)) == before + 1 + 5
    session.close()
    assert len(descendants(fork_server._process.pid)) <= before + 1


def test_the_limits_of_a_session_are_set(run, fork_server):
    session = run(
        "import resource as r\n"
        "limits = [r.getrlimit(k)[1] for k in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE,"
        " r.RLIMIT_NOFILE, r.RLIMIT_CORE)]"
    )
    limits = fork_server.limits
    with session.check() as check:
        assert check.get("limits") == [
            limits.memory_mb << 20,
            min(limits.cpu_seconds, *positive(resource.RLIMIT_CPU)),
            limits.file_mb << 20,
            256,
            0,
        ]


def positive(limit):
    hard = resource.getrlimit(limit)[1]
    return [hard] if hard != resource.RLIM_INFINITY else [1 << 62]


def test_an_argument_too_large_for_the_wire_is_the_authors_fault(run):
    session = run("def f(x): return 1")
    with pytest.raises(HarnessError):
        call(session, "f", np.zeros(2 << 20))


def test_a_closed_session_can_be_closed_again(run):
    session = run("x = 1")
    session.close()
    session.close()
    with session.check() as check:
        assert check.get("x") == 1


def test_a_notebook_without_cells_has_no_names(run):
    session = run()
    with session.check() as check, pytest.raises(StudentError, match=r"^f is not defined"):
        check.get("f")


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.0002, 0.0005])
def test_time_that_runs_out_while_a_session_starts_is_the_submissions(run, seconds):
    session = run("x = 1", seconds=seconds)
    with pytest.raises(StudentTimeout, match=r"^the submission ran out of its time$"):
        call(session, "x")


HANGS = """
def above():
    return 1
start = [above()]
start.append(2)
while True:
    pass
def below():
    return start
start.append(3)
"""


def test_a_cell_that_is_stopped_keeps_what_stands_above_and_definitions_below(run):
    session = run("x = 1", HANGS, "y = start")
    with session.check() as check:
        student = Subject(check)
        assert (student.above(), student.below(), student.y) == (1, [1, 2], [1, 2])
    assert session.runs[2].ended == "it ran for more than 2 s"
    assert session.runs[2].line == HANGS[: HANGS.index("while")].count("\n") + 1


def test_a_definition_that_ends_the_session_whenever_it_is_run_is_left_out(run):
    session = run("x = 1\nclass A:\n    import os\n    os._exit(0)", "y = 2")
    with session.check() as check:
        assert check.get("y") == 2


@pytest.mark.parametrize("step", ["0, 1", "-3, 1", "1, 'x'", "1, 0", "1, -1", "1, 10**6"])
def test_a_forged_step_ends_the_session_as_any_forged_message(run, step):
    session = run(f"{FORGED}\nx = 1\nsay(p.Step({step}))", "y = 2")
    assert session.runs[1].ended == FOREIGN
    with session.check() as check:
        assert check.get("y") == 2


@pytest.mark.parametrize(
    "word",
    [
        "touched=3",
        "touched=True, kept=['x', 5]",
        "kept=['a b', 'c' * 10**5, '']",
        "kept=['x'] * 10**5",
        "raised='x' * 10**5, text='y' * 10**5",
        "text='no type'",
        "printed=-1",
    ],
)
def test_whatever_a_session_says_of_a_cell_is_taken_as_its_word(run, word):
    code = f"{FORGED}\nsay(p.Done({word}))\nos._exit(0)"
    session = run("x = 1", code, "y = 2")
    assert len(session.runs[2].kept) <= 4
    assert type(session.runs[2].touched) is bool


def test_a_module_that_a_cell_writes_can_be_imported(run):
    session = run(
        "import no_such_module",
        "%%writefile helper.py\nvalue = 3",
        "import helper\nx = helper.value",
        "open('late.py', 'w').write('value = 4')\nfrom late import value\nx += value",
    )
    with session.check() as check:
        assert check.get("x") == 7


COMPILED = """
import torch
@torch.compile(fullgraph=True, mode="max-autotune")
def double(x): return 2 * x
@torch.compile
def triple(x): return 3 * x
layer = torch.compile(torch.nn.Linear(2, 1))
"""


def test_what_torch_would_compile_runs_as_it_is_written(torch_fork_server, run):
    session = run(COMPILED, fork_server=torch_fork_server)
    with session.check() as check:
        student, x = Subject(check), np.ones(2, np.float32)
        assert student.double(x).tolist() == [2, 2]
        assert student.triple(x).tolist() == [3, 3]
    assert session.runs[1].error is None


MISSING = {
    "raised": (
        ("x = 1 / 0\nanswer = x.real",),
        "cell 1, which defines it, raised ZeroDivisionError",
    ),
    "syntax": (("def answer(:\n  pass",), "cell 1, which defines it, raised SyntaxError"),
    "ended": (
        ("import os\nos._exit(3)\nanswer = os.getpid()",),
        "cell 1, which defines it, was stop",
    ),
    "nowhere": (("x = 1 / 0", "answers = 2"), None),
}


@pytest.mark.parametrize(("cells", "words"), MISSING.values(), ids=MISSING)
def test_what_is_missing_names_the_cell_that_should_have_defined_it(run, cells, words):
    session = run(*cells)
    with pytest.raises(StudentError) as caught:
        call(session, "answer")
    expected = (
        f"answer is not defined: {words}" if words else "answer is not defined in the notebook"
    )
    assert str(caught.value).startswith(expected)


def test_a_notebook_is_run_to_a_place_and_on(run):
    session = run(COUNTER, "bump()", "bump()", "bump()").again()
    with session:
        for upto, count in ((1, 0), (3, 2), (3, 2), (4, 3), (2, 1)):
            session.run_to(upto)
            with session.check() as check:
                assert check.get("count") == [count]


def test_a_session_that_ends_between_two_places_is_run_again(run):
    leave = "import os, threading\nthreading.Timer(0.2, os._exit, (0,)).start()"
    session = run("x = 1", leave, "y = 2").again()
    with session:
        session.run_to(2)
        time.sleep(0.5)
        session.run_to(3)
        with session.check() as check:
            assert check.get("y") == 2


def test_memory_that_was_used_up_is_told_however_often_it_is_asked(run, fork_server):
    if not needs_process_limit(fork_server.limits.processes):
        pytest.skip("no control group: memory is bounded for each process only")
    started = fork_server.start()
    before = started.kills.of_machine - 1  # as if the kernel had ended a process of it
    started.kills = started.kills._replace(of_machine=before)
    fork_server.overuse()
    (process,) = children_of(fork_server._process.pid)
    os.kill(min(children_of(process)), signal.SIGKILL)
    started.channel.close()
    assert "MB of memory" in fork_server.end(started, by_itself=True)


@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(9)"], ids=["busy", "idle"])
@pytest.mark.parametrize("queued", [0.0, None, 9.0])
def test_time_that_runs_out_for_want_of_a_processor_is_told_apart(run, monkeypatch, body, queued):
    # What others on this machine take from it shall not decide here.
    busy = 1.0 if "while" in body else 0.0
    monkeypatch.setattr(ForkServer, "busy_seconds", lambda self, forks: busy)
    monkeypatch.setattr(ForkServer, "queued_seconds", lambda self, forks: queued)
    session = run(f"import time\ndef f():\n    {body}")
    with pytest.raises(StudentTimeout):
        call(session, "f", seconds=1.0)
    # Where nobody counts what waits for a processor, whatever had none may have waited.
    assert session.starved is (not busy and queued != 0.0)


def test_a_cell_that_ran_out_of_time_for_want_of_a_processor_is_told_apart(run, monkeypatch):
    monkeypatch.setattr(ForkServer, "queued_seconds", lambda self, forks: 9.0)
    assert run("import time\ntime.sleep(9)").starved
    assert not run("x = 1").starved


def test_what_waits_for_a_processor_is_counted(fork_server, run):
    run("import os\nfor _ in range(3):\n    if os.fork() == 0:\n        while True: pass")
    until = time.monotonic() + 20  # on a machine that does much else
    while fork_server.busy_seconds(forks=True) <= 0.05 and time.monotonic() < until:
        time.sleep(0.05)
    assert fork_server.busy_seconds(forks=True) > 0.05
    # Three of them have one processor's share.
    while (queued := fork_server.queued_seconds(forks=True)) is not None and queued <= 0.05:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_code_that_lowers_a_limit_of_its_own_and_dies_by_it_ends_its_cell(run):
    lower = "import resource\nx = [1]\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n"
    session = run(lower + "while True: pass", "y = x")
    with session.check() as check:
        assert check.get("y") == [1]
    assert session.runs[1].ended is not None


def test_a_name_means_what_it_did_at_a_place_if_a_check_asks_for_that(fork_server):
    cells = ["x = 1", "import os; os._exit(0)", "x = 2", "y = 3"]
    numbered = [CodeCell(*cell) for cell in enumerate(cells, 1)]
    until = time.monotonic() + 60
    session = NotebookSession(fork_server, numbered, until, places=dict.fromkeys((1, 2, 3), True))
    with session, session.check() as check:
        found = []
        for place in (0, 1, 2, 3):
            check.place, check.names_there = place, True
            found.append((check.get("x"), check.get("y")))
    assert found == [(2, 3), (1, 3), (1, 3), (2, 3)]


def test_a_call_that_ends_its_process_is_told_apart_from_one_that_a_limit_ends(run):
    session = run(CALLS)
    for name, vanished in (("leave", True), ("loop", False), ("fine", False)):
        with contextlib.suppress(StudentError):
            call(session, name, seconds=0.5)
        assert session.vanished is vanished


SWITCHED = """
import os, sys, warnings
import numpy as np
import torch
np.seterr(all="raise")
warnings.simplefilter("error")
torch.set_grad_enabled(False)
torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
mode = torch.inference_mode()
mode.__enter__()
os.makedirs("elsewhere")
os.chdir("elsewhere")
"""
ASKED = """
def asked():
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    warnings.warn("hm")
    tiny = np.float64(1e-300) * np.float64(1e-300)
    return [tiny, str(torch.ones(1).dtype), x.grad.tolist(), os.path.basename(os.getcwd())]
"""


def test_switches_are_how_they_were_where_a_check_stands(torch_fork_server):
    sources = ["import os, warnings\nimport numpy as np\nimport torch", SWITCHED, ASKED]
    cells = [CodeCell(*cell) for cell in enumerate(sources, 1)]
    until = time.monotonic() + 60
    session = NotebookSession(torch_fork_server, cells, until, places={1: False, 2: False})
    with session:
        with session.check() as check:
            check.place = 1
            check.seed(0)
            tiny, dtype, gradient, folder = Subject(check).asked()
        assert (tiny, dtype, gradient) == (0.0, "torch.float32", [2.0, 2.0])
        assert folder != "elsewhere"
        with session.check() as check:
            check.place = 2
            check.seed(0)
            with pytest.raises(StudentError, match="RuntimeError"):
                Subject(check).asked()
