import os
import signal
from dataclasses import replace

import msgspec
import nbformat
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import CaseResult, Status, Verdict, digest_of, is_final, now
from autograder.grading import case_runs, in_place
from autograder.grading.case_runs import CaseRuns
from autograder.grading.cases import run_against
from autograder.grading.notes import PYTHON
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.scoring import unreadable
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import NotebookSession
from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import Limits

SECRET = b"the secret of the course"
LIMITS = Limits(cell_seconds=1.5, call_seconds=1.0, submission_seconds=60.0)
HANG = "def double(x):\n    while True:\n        pass"


def clock():
    return "2026-11-20T02:10:40Z"


def make(bundle, limits=LIMITS, secret=SECRET):
    return Grader(bundle, load_bundle_oracle(bundle), secret, limits)


@pytest.fixture(scope="module")
def bundle(bundle_path):
    return read_bundle(bundle_path)


@pytest.fixture(scope="module")
def grader(bundle):
    with make(bundle) as grader:
        yield grader


@pytest.fixture
def make_beside(grader):
    """Return a function that makes another grader, which shares the fork server of the first."""

    def make_beside(*args, **options):
        other = make(*args, **options)
        other._fork_server = grader._warm_fork_server()
        return other

    return make_beside


@pytest.fixture
def grade(grader, submit):
    def grade(*args, **kwargs):
        return grader.grade("ada", submit(*args, **kwargs), clock)

    return grade


def verdicts(result, question):
    (found,) = [q for q in result.questions if q.id == question]
    return [case.verdict for check in found.checks for case in check.cases]


def messages(result, question):
    (found,) = [q for q in result.questions if q.id == question]
    return [case.message for check in found.checks for case in check.cases]


def test_the_solution_earns_all(grade):
    result = grade()
    assert (result.earned, result.possible, result.notes) == (5.0, 9.0, ())
    assert result.status is Status.GRADED
    assert verdicts(result, "double") == [Verdict.PASSED, Verdict.PASSED]


def test_the_blank_release_earns_nothing_and_loses_nothing_to_us(grade):
    result = grade({})
    assert (result.earned, result.status, result.notes) == (0.0, Status.GRADED, ())
    assert messages(result, "double") == ["not implemented yet (cell 3, line 3)"] * 2


def test_the_data_lies_where_the_notebook_runs(bundle, make_beside, submit, solutions):
    answers = solutions | {"double": "double = lambda x: float(open('data/two').read()) * x"}
    grader = make_beside(msgspec.structs.replace(bundle, data={"data/two": b"2"}))
    result = grader.grade("ada", submit(answers), clock)
    assert (result.earned, result.notes) == (5.0, ())


def test_a_result_says_of_what_it_is(grader, submit, bundle):
    data = submit()
    result = grader.grade("ada", data, clock)
    assert (result.student, result.assignment, result.graded_at) == ("ada", "tiny", clock())
    assert (result.submission, result.bundle) == (digest_of(data), bundle.id)
    assert result.device == "cpu"


def without_time(result):
    table = msgspec.to_builtins(result)
    for question in table["questions"]:
        for check in question["checks"]:
            for case in check["cases"]:
                case["seconds"] = 0
    return table


def test_the_same_secret_gives_the_same_result(bundle, grader, submit):
    wrong = {"double": "def double(x):\n    return 2 * x + 1", "triple": "x = "}
    with make(bundle) as other:
        results = [g.grade("ada", submit(wrong), clock) for g in (grader, grader, other)]
    assert without_time(results[0]) == without_time(results[1]) == without_time(results[2])


def test_another_secret_gives_other_inputs(bundle, grader, make_beside, submit):
    wrong = submit({"double": "def double(x):\n    return x"})
    other = make_beside(bundle, secret=b"another secret")
    one, two = (g.grade("ada", wrong, clock) for g in (grader, other))
    assert messages(one, "double") != messages(two, "double")


def test_a_question_that_hangs_leaves_the_others_graded(grade, solutions):
    result = grade({"double": HANG, "triple": "def triple(x):\n    return 3 * x"})
    assert verdicts(result, "double") == [Verdict.TIMED_OUT] * 2
    assert verdicts(result, "triple") == [Verdict.PASSED] * 2
    assert (result.earned, result.status) == (3.0, Status.GRADED)


def test_a_question_that_ends_its_process_leaves_the_others_graded(grade):
    leave = "def double(x):\n    import os\n    os._exit(0)"
    result = grade({"double": leave, "triple": "def triple(x):\n    return 3 * x"})
    assert verdicts(result, "double") == [Verdict.KILLED] * 2
    assert result.earned == 3.0


def test_a_cell_that_ends_the_session_is_left_out_and_noted(grade):
    result = grade(after=["import os; os._exit(7)"])
    assert result.earned == 5.0
    assert result.notes == ("cell 8 (line 1) was stopped: its process left with exit code 7",)


def test_a_cell_that_raises_is_noted(grade):
    result = grade(after=["1 / 0"])
    assert result.earned == 5.0
    assert result.notes == ("cell 8 raised ZeroDivisionError: division by zero",)


def test_many_notes_are_cut(grade):
    notes = grade(after=[f"raise ValueError({i})" for i in range(40)]).notes
    assert len(notes) == 31
    assert notes[-1] == "and 10 more"


def test_cells_that_raise_the_same_share_a_note(grade):
    assert grade(after=["1 / 0"] * 10).notes == (
        "cells 8, 9, 10, 11, 12, 13, 14, 15 and 2 more raised ZeroDivisionError: division by zero",
    )


def test_a_note_on_grammar_names_the_python_of_the_grader(grade):
    (note,) = grade(after=["def f(:"]).notes
    assert note.startswith("cell 8 raised SyntaxError: ")
    assert note.endswith(f"(the grader runs Python {PYTHON})")


def test_what_cells_raised_is_told_before_what_was_healed(grade):
    def edit_all(notebook):
        for cell in notebook.cells[1:6]:
            cell.source += "\nx = 1"

    notes = grade(before=["import tqdm_of_nobody"], change=edit_all).notes
    assert "ModuleNotFoundError" in notes[0]
    assert "edited and restored" in notes[1]


def test_many_deadly_cells_cost_only_themselves(grade):
    result = grade(after=["import os; os._exit(0)"] * 8)
    assert result.status is Status.GRADED
    assert result.earned == 5.0


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os.kill(os.getpid(), 40)",
        "import os\nfor _ in range(1200):\n    os.mkdir('d'); os.chdir('d')",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "import os; os.close(0); os.closerange(3, 100)",
        "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "import sys; sys.modules.clear()",
        "import builtins; builtins.len = builtins.print = None",
        "import threading, time; threading.Thread(target=time.sleep, args=(99,)).start()",
        "del __builtins__, __name__",
        "get_ipython().run_cell = None",
        "get_ipython().reset()",
    ],
)
def test_no_cell_ends_the_grading(grade, cell):
    result = grade(after=[cell])
    assert result.status in (Status.GRADED, Status.PENDING)
    assert Verdict.BROKEN not in verdicts(result, "double")
    # The next submission is graded as if nothing had been.
    assert grade().earned == 5.0


def test_a_submission_that_uses_up_its_time_is_graded_with_what_it_has(bundle, make_beside, submit):
    grader = make_beside(bundle, replace(LIMITS, submission_seconds=1.0))
    result = grader.grade("ada", submit(after=["while True: pass"]), clock)
    assert result.status is Status.GRADED
    assert verdicts(result, "double") == [Verdict.TIMED_OUT] * 2


def test_a_manual_question_waits_only_where_it_is_answered(grade):
    result = grade({"proof": "By induction."})
    assert result.status is Status.PENDING
    assert result.questions[-1].status is Status.PENDING
    assert grade({}).questions[-1].status is Status.GRADED


def test_an_unreadable_submission_is_for_staff_and_nobody_loses(grader):
    result = grader.grade("ada", b"no notebook", clock)
    assert result.status is Status.NEEDS_ATTENTION
    assert result.notes == ("the file is no Jupyter notebook: it is plain text",)
    assert [q.status for q in result.questions] == [Status.NEEDS_ATTENTION] * 3
    assert is_final(result)


def test_a_fork_server_killed_in_the_middle_costs_nothing(grader, submit, monkeypatch):
    killed = []

    def kill_once(oracle, check, *args, **options):
        if check.name == "triple_is_right" and not killed:
            killed.append(grader._fork_server._process.pid)
            grader._fork_server._process.kill()
            grader._fork_server._process.wait()
        return run_against(oracle, check, *args, **options)

    monkeypatch.setattr(case_runs, "run_against", kill_once)
    result = grader.grade("ada", submit(), clock)
    assert len(killed) == 1
    assert (result.earned, result.status, result.notes) == (5.0, Status.GRADED, ())


def test_a_fork_server_killed_between_two_submissions_costs_nothing(grader, grade):
    grade()
    grader._fork_server._process.kill()
    grader._fork_server._process.wait()
    assert grade().earned == 5.0


def test_a_harness_that_breaks_every_time_is_for_staff(bundle, submit):
    manifest = msgspec.structs.replace(bundle.manifest, preload=("no_such_module",))
    with make(msgspec.structs.replace(bundle, manifest=manifest)) as grader:
        result = grader.grade("ada", submit(), clock)
    assert result.status is Status.NEEDS_ATTENTION
    assert result.fault.startswith("the fork server cannot warm up")
    assert result.notes == ()
    assert not is_final(result)


def test_a_check_that_breaks_is_for_staff_and_graded_again(bundle, make_beside, submit):
    broken = bundle.source[3].source.replace("x = rng", "x = undefined; x = rng")
    cells = tuple(
        msgspec.structs.replace(cell, source=broken) if cell.number == 4 else cell
        for cell in bundle.source
    )
    grader = make_beside(msgspec.structs.replace(bundle, source=cells))
    result = grader.grade("ada", submit(), clock)
    assert verdicts(result, "double") == [Verdict.BROKEN] * 2
    assert result.status is Status.NEEDS_ATTENTION
    assert result.earned == 3.0
    assert not is_final(result)


def test_a_check_that_needs_a_gpu_is_pending_without_one(bundle, make_beside, submit):
    cells = tuple(
        msgspec.structs.replace(c, source=c.source.replace("points=2", "points=2, device='cuda'"))
        for c in bundle.source
    )
    grader = make_beside(msgspec.structs.replace(bundle, source=cells))
    result = grader.grade("ada", submit(), clock)
    assert verdicts(result, "double") == [Verdict.PENDING] * 2
    assert (result.earned, result.status) == (3.0, Status.PENDING)
    assert is_final(result)


def test_the_time_is_of_the_contracts_form():
    assert len(now()) == len("2026-11-20T02:10:40Z")
    assert now().endswith("Z")


def test_a_submission_without_bytes_can_be_unreadable(bundle):
    result = unreadable(bundle, "ada", b"", "there is no tiny.ipynb", "cpu", clock)
    assert (result.earned, result.possible) == (0.0, 9.0)


def test_a_bug_of_ours_in_one_submission_is_for_staff_and_stops_no_other(
    grader, submit, monkeypatch
):
    def stumble(*args, **options):
        raise ZeroDivisionError("of ours")

    with monkeypatch.context() as patch:
        patch.setattr(case_runs, "run_against", stumble)
        result = grader.grade("ada", submit(), clock)
    assert result.status is Status.NEEDS_ATTENTION
    assert (result.fault, result.notes) == ("ZeroDivisionError: of ours", ())
    assert grader.grade("ada", submit(), clock).earned == 5.0


@pytest.fixture
def forks(monkeypatch):
    """Return a list with an item for each session in which cases are run."""
    forks = []
    run_in = CaseRuns._run_in
    monkeypatch.setattr(CaseRuns, "_run_in", lambda *a: forks.append(1) or run_in(*a))
    return forks


# Passes the visible cases, which run as in a student's own kernel; calls of one function that hold
# more than the visible cases do spoil the other.
SPOILING = """
calls = [0]
def double(x):
    calls[0] += len(x) > 40
    return 2 * x
"""
SPOILT = """
def triple(x):
    return 3 * x if calls[0] == 0 else 0 * x
"""


def test_no_hidden_case_fails_for_what_another_check_has_done(grade, forks):
    result = grade(answers={"double": SPOILING, "triple": SPOILT})
    assert verdicts(result, "double") == verdicts(result, "triple") == [Verdict.PASSED] * 2
    assert len(forks) == 3  # visible, hidden, and hidden once more for what failed behind another


def test_checks_that_pass_share_a_fork(grade, forks):
    assert grade().earned == 5.0
    assert len(forks) == 2


def below(question, cell):
    """Return the note of a question that counts as its check found it."""
    return (
        f"question {question} counts as the notebook stood at its check; cell {cell}, below it, "
        "changes what it uses"
    )


RAISES = (
    "import numpy as np; np.seterr(all='raise')",
    "import warnings; warnings.simplefilter('error')",
)


@pytest.mark.parametrize("cell", RAISES)
def test_a_switch_below_a_check_costs_no_hidden_case_either(grade, solutions, cell):
    """Visible cases have two numbers, for which nothing is raised."""
    double = """
import warnings
def double(x):
    if len(x) > 2:
        np.float64(1e-300) * np.float64(1e-300)
        warnings.warn("hm")
    return 2 * x
"""
    result = grade({**solutions, "double": double}, after=[cell])
    assert (result.earned, result.notes) == (5.0, ())


CHANGES_BELOW = {
    "the name is used again": "double = 3",
    "it is deleted": "del double, triple",
    "a helper is used again": "FACTOR = 5",
    "numpy is patched": "np.asarray = np.multiply = None\nFACTOR = None",
    "a warning is an error": "import warnings\nwarnings.simplefilter('error')\nFACTOR = Loud()",
    "a value is changed in place": "scale.clear()",
    "a loop takes the name": "for double in range(3): triple = double",
    "another definition": "def double(x):\n    return 0 * x\ntriple = double",
    "a module is written over": "import sys\nsys.modules['numpy'].asarray = 3\nscale.append(1)",
}
DOUBLE = """
import warnings
scale = [2]
class Loud:
    def __mul__(self, other):
        warnings.warn("loud")
        return other
def double(x):
    return FACTOR * x * (len(scale) == 1)
"""


@pytest.mark.parametrize("cell", CHANGES_BELOW.values(), ids=CHANGES_BELOW)
def test_what_stands_below_a_check_does_not_cost_its_points(grade, cell, solutions):
    result = grade({**solutions, "double": DOUBLE}, after=["fine = 1", cell])
    assert result.earned == 5.0, messages(result, "double")
    assert [note for note in result.notes if "counts as" in note] == [
        below("double", 9),
        below("triple", 9),
    ]


def test_a_wrong_answer_stays_wrong_whatever_stands_below_it(grade):
    wrong = "def double(x):\n    return 2 * x + 1"
    result = grade({"double": wrong}, after=["x = [double(1)]"])
    assert verdicts(result, "double") == [Verdict.FAILED] * 2
    assert result.notes == ()


def test_a_notebook_of_definitions_is_not_run_again_for_wrong_answers(grade, opened):
    grade({"double": "def double(x):\n    return 0 * x", "triple": "def triple(x):\n    return x"})
    assert len(opened) == 1


def test_a_notebook_is_run_again_once_for_all_its_wrong_answers(grade, opened):
    wrong = {"double": "def double(x):\n    return 0 * x", "triple": "def triple(x):\n    return x"}
    grade(wrong, after=["x = [double(1)]", "x.append(2)"])
    assert len(opened) == 2


@pytest.fixture
def opened(grader, monkeypatch):
    """Return a list with an item for each session that is started in a warm fork server."""
    grader._warm_fork_server()
    opened = []
    start = ForkServer.start
    monkeypatch.setattr(ForkServer, "start", lambda self: opened.append(1) or start(self))
    return opened


def test_an_answer_above_its_untouched_stub_counts_and_is_noted(grade, solutions):
    result = grade({"triple": solutions["triple"]}, before=["def double(x):\n    return 2 * x"])
    assert result.earned == 5.0
    assert result.notes == ("cell 4 is as it was released; double above it counts",)


def test_a_missing_package_above_an_answer_costs_nothing(grade, solutions):
    result = grade({**solutions, "double": "import no_such_module\n" + solutions["double"]})
    assert result.earned == 5.0
    assert result.notes == ("cell 3 raised ModuleNotFoundError: No module named 'no_such_module'",)


THREAD = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
)


def test_a_thread_costs_no_right_answer_when_many_are_wrong(bundle, make_beside, submit):
    """The notebook takes a second and is run for each session: wrong answers come last."""
    slow = f"{THREAD}\ntime.sleep(1)"
    limits = replace(LIMITS, call_seconds=0.5, submission_seconds=8.0)
    answers = {"double": HANG, "triple": "def triple(x):\n    return 3 * x"}
    grader = make_beside(bundle, limits)
    result = grader.grade("ada", submit(answers, before=[slow]), clock)
    assert verdicts(result, "double") == [Verdict.TIMED_OUT] * 2
    assert verdicts(result, "triple") == [Verdict.PASSED] * 2


def test_with_a_thread_a_hidden_case_that_another_check_spoilt_is_run_alone(grade, opened):
    result = grade(answers={"double": SPOILING, "triple": SPOILT}, before=[THREAD])
    assert verdicts(result, "double") == verdicts(result, "triple") == [Verdict.PASSED] * 2
    assert len(opened) <= 4


def test_a_call_whose_process_somebody_kills_is_run_again(grader, submit, monkeypatch):
    killed = []

    def kill_once(oracle, check, case, student, *args, **options):
        if check.name == "double_is_right" and case.hidden and not killed:
            (warm,) = children_of(grader._fork_server._process.pid)
            session = min(children_of(warm))
            (fork,) = children_of(session)
            killed.append(fork)
            os.kill(fork, signal.SIGKILL)
        return run_against(oracle, check, case, student, *args, **options)

    monkeypatch.setattr(case_runs, "run_against", kill_once)
    result = grader.grade("ada", submit(), clock)
    assert len(killed) == 1
    assert (result.earned, result.status, result.notes) == (5.0, Status.GRADED, ())


def test_a_session_that_somebody_kills_between_cells_is_run_again(grader, submit, monkeypatch):
    killed = []
    run = NotebookSession._run

    def kill_once(self, channel, *args):
        if not killed:
            (warm,) = children_of(grader._fork_server._process.pid)
            killed.append(min(children_of(warm)))
            os.kill(killed[0], signal.SIGKILL)
        return run(self, channel, *args)

    monkeypatch.setattr(NotebookSession, "_run", kill_once)
    result = grader.grade("ada", submit(), clock)
    assert len(killed) == 1
    assert (result.earned, result.status, result.notes) == (5.0, Status.GRADED, ())


def test_a_check_that_keeps_ending_everything_is_not_run_on(bundle):
    runs = CaseRuns(load_bundle_oracle(bundle), None, LIMITS, "cpu", None, {})
    check = next(check for check in runs._checks if check.name == "double_is_right")
    killed = CaseResult("short", False, Verdict.KILLED, 0.0)
    runs.outcomes[check.name] = {"short": killed, "long": killed}
    assert runs._reason_not_to_run(check) is None
    runs._ends[check.name] = 2
    verdict, message = runs._reason_not_to_run(check)
    assert (verdict, message) == (Verdict.KILLED, "not run after 2 cases that ended everything")


@pytest.fixture
def drawn(monkeypatch):
    """Return a list with the first number of the inputs of each case that is run."""
    drawn = []

    def noted(oracle, check, case, student, draw, **options):
        drawn.append((check.name, case.name, draw(check, case).normal()))
        return run_against(oracle, check, case, student, draw, **options)

    monkeypatch.setattr(case_runs, "run_against", noted)
    return drawn


def inputs(drawn):
    """Return the inputs by check and case, and forget them."""
    found = {(check, case): number for check, case, number in drawn}
    drawn.clear()
    return found


def differ(one, other):
    assert one.keys() == other.keys()
    return not set(one.values()) & set(other.values())


def test_every_submission_has_inputs_of_its_own_and_has_them_again(grader, submit, drawn):
    right, other = submit(), submit(after=["# another file"])
    found = []
    for student, data in (("ada", right), ("ada", right), ("ada", other), ("bob", right)):
        grader.grade(student, data, clock)
        found.append(inputs(drawn))
    ada, again, another_file, another_student = found
    assert again == ada
    assert differ(another_file, ada)
    # The same file: what the first one's run left behind would else help the second.
    assert differ(another_student, ada)


def test_a_try_after_one_that_broke_has_other_inputs(grader, submit, drawn, monkeypatch):
    grader.grade("ada", submit(), clock)
    first = inputs(drawn)
    diagnose = Grader._diagnose

    def break_once(self, outcomes):
        monkeypatch.setattr(Grader, "_diagnose", diagnose)
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(Grader, "_diagnose", break_once)
    assert grader.grade("ada", submit(), clock).earned == 5.0
    half = len(drawn) // 2
    second = inputs(drawn[half:])
    assert inputs(drawn[:half]) == first
    assert differ(second, first)
    drawn.clear()
    seen = [first, second]
    for gradings in (1, 2):
        grader.grade("ada", submit(), clock, gradings=gradings)
        seen.append(inputs(drawn))
    assert all(differ(a, b) for i, a in enumerate(seen) for b in seen[:i])


@pytest.fixture
def hidden_only(bundle):
    """The bundle with no visible case in the check of the first question, which asks for a text."""
    source = """
@check("double", points=2)
@case("the letter", hidden=True)
def double_is_right(student, reference, rng):
    assert_equal(student.double, "B")
"""
    cells = tuple(
        msgspec.structs.replace(
            cell,
            source=source
            if cell.number == 4
            else cell.source.replace("import assert_close", "import assert_close, assert_equal")
            if cell.number == 2
            else cell.source.replace("double, triple", "triple") + "\ndouble = 'B'"
            if cell.number == 3
            else cell.source,
        )
        for cell in bundle.source
    )
    (entry,) = bundle.manifest.questions[0].checks
    entry = msgspec.structs.replace(entry, cases=(("the letter", True),))
    first = msgspec.structs.replace(bundle.manifest.questions[0], checks=(entry,))
    questions = (first, *bundle.manifest.questions[1:])
    manifest = msgspec.structs.replace(bundle.manifest, questions=questions)
    return msgspec.structs.replace(bundle, source=cells, manifest=manifest)


TWICE = """
from autograder.sandbox.inside.host import Host
asked, get = __import__("pathlib").Path("asked"), Host._get
def count(self, request):
    if request.text == "double":
        asked.write_text(asked.read_text() + "x" if asked.exists() else "x")
        self._namespace["double"] = "ABCD"[len(asked.read_text()) - 1]
        self._places.clear()
    return get(self, request)
Host._get = count
"""


@pytest.mark.parametrize(
    ("first", "after", "verdict"),
    [
        ("B", [], Verdict.PASSED),
        ("B", ["double = 'C'"], Verdict.PASSED),
        ("B", ["del double"], Verdict.PASSED),
        ("A", ["double = 'B'"], Verdict.FAILED),
        ("A", ["double = 'C'", "double = 'B'", "double = 'D'"], Verdict.FAILED),
        ("A", [TWICE], Verdict.FAILED),
    ],
)
def test_what_a_hidden_case_alone_judges_is_the_answer_where_its_check_stands_and_no_other(
    hidden_only, make_beside, submit, first, after, verdict
):
    answers = {"double": f"double = '{first}'", "triple": "def triple(x):\n    return 3 * x"}
    result = make_beside(hidden_only).grade("ada", submit(answers, after=after), clock)
    assert verdicts(result, "double") == [verdict]


def test_a_check_that_was_deleted_gives_no_further_guess(hidden_only, make_beside, submit):
    def change(notebook):
        del notebook.cells[3]  # the check
        for letter in "BCD":
            notebook.cells.insert(3, nbformat.v4.new_code_cell(f"double = '{letter}'"))

    data = submit({"double": "double = 'A'"}, change=change)
    result = make_beside(hidden_only).grade("ada", data, clock)
    assert verdicts(result, "double") == [Verdict.FAILED]


def test_a_few_calls_that_run_out_of_time_are_enough_to_look_no_further_in_place(
    bundle, make_beside, submit, monkeypatch
):
    run = []
    monkeypatch.setattr(in_place, "MAX_SLOW", 1)
    monkeypatch.setattr(
        case_runs, "run_against", lambda *a, **k: run.append(a[1:3]) or run_against(*a, **k)
    )
    limits = replace(LIMITS, call_seconds=0.3, submission_seconds=20.0)
    answers = {"double": HANG, "triple": HANG.replace("double", "triple")}
    grader = make_beside(bundle, limits)
    result = grader.grade("ada", submit(answers, after=["x = [1]", "x.append(2)"]), clock)
    assert verdicts(result, "double") == verdicts(result, "triple") == [Verdict.TIMED_OUT] * 2
    assert len(run) == 4 + 1  # all of them behind the notebook, and one where its check stands
