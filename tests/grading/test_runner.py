import msgspec
import pytest

from autograder.grading import runner
from autograder.grading.bundle import read_bundle
from autograder.grading.cases import run_case
from autograder.grading.notes import PYTHON
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.results import Status, Verdict, is_final, now
from autograder.grading.runner import Grader
from autograder.grading.scoring import unreadable
from autograder.grading.submission import digest_of
from autograder.sandbox.limits import Limits

SECRET = b"the secret of the course"
LIMITS = Limits(cell_seconds=1.5, call_seconds=1.0, submission_seconds=60.0)
HANG = "def double(x):\n    while True:\n        pass"


def clock():
    return "2026-11-20T02:10:40Z"


def make(bundle, limits=LIMITS, secret=SECRET, **options):
    return Grader(bundle, load_bundle_oracle(bundle), secret, limits, **options)


@pytest.fixture(scope="module")
def bundle(bundle_path):
    return read_bundle(bundle_path)


@pytest.fixture(scope="module")
def grader(bundle):
    with make(bundle) as grader:
        yield grader


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


def test_the_data_lies_where_the_notebook_runs(bundle, submit, solutions):
    answers = solutions | {"double": "double = lambda x: float(open('data/two').read()) * x"}
    with make(msgspec.structs.replace(bundle, data={"data/two": b"2"})) as grader:
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


def test_the_same_secret_gives_the_same_result(bundle, submit):
    wrong = {"double": "def double(x):\n    return 2 * x + 1", "triple": "x = "}
    with make(bundle) as one, make(bundle) as two:
        results = [g.grade("ada", submit(wrong), clock) for g in (one, one, two)]
    assert without_time(results[0]) == without_time(results[1]) == without_time(results[2])


def test_another_secret_gives_other_inputs(bundle, grader, submit):
    wrong = submit({"double": "def double(x):\n    return x"})
    with make(bundle, secret=b"another secret") as other:
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
    assert result.notes == ("cell 8 was left out: its process left with exit code 7",)


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


def test_a_submission_that_uses_up_its_time_is_graded_with_what_it_has(bundle, submit):
    limits = Limits(cell_seconds=5, submission_seconds=1.0)
    with make(bundle, limits) as grader:
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


def test_a_nursery_killed_in_the_middle_costs_nothing(grader, submit, monkeypatch):
    killed = []

    def kill_once(check, *args, **options):
        if check.name == "triple_is_right" and not killed:
            killed.append(grader._nursery._process.pid)
            grader._nursery._process.kill()
            grader._nursery._process.wait()
        return run_case(check, *args, **options)

    monkeypatch.setattr(runner, "run_case", kill_once)
    result = grader.grade("ada", submit(), clock)
    assert len(killed) == 1
    assert (result.earned, result.status, result.notes) == (5.0, Status.GRADED, ())


def test_a_nursery_killed_between_two_submissions_costs_nothing(grader, grade):
    grade()
    grader._nursery._process.kill()
    grader._nursery._process.wait()
    assert grade().earned == 5.0


def test_a_harness_that_breaks_every_time_is_for_staff(bundle, submit):
    manifest = msgspec.structs.replace(bundle.manifest, preload=("no_such_module",))
    with make(msgspec.structs.replace(bundle, manifest=manifest)) as grader:
        result = grader.grade("ada", submit(), clock)
    assert result.status is Status.NEEDS_ATTENTION
    assert result.notes[0].startswith("the harness broke: the nursery cannot warm up")
    assert not is_final(result)


def test_a_check_that_breaks_is_for_staff_and_graded_again(bundle, submit):
    broken = bundle.source[3].source.replace("x = rng", "x = undefined; x = rng")
    cells = tuple(
        msgspec.structs.replace(cell, source=broken) if cell.number == 4 else cell
        for cell in bundle.source
    )
    with make(msgspec.structs.replace(bundle, source=cells)) as grader:
        result = grader.grade("ada", submit(), clock)
    assert verdicts(result, "double") == [Verdict.BROKEN] * 2
    assert result.status is Status.NEEDS_ATTENTION
    assert result.earned == 3.0
    assert not is_final(result)


def test_a_check_that_needs_a_gpu_is_pending_without_one(bundle, submit):
    cells = tuple(
        msgspec.structs.replace(c, source=c.source.replace("points=2", "points=2, device='cuda'"))
        for c in bundle.source
    )
    with make(msgspec.structs.replace(bundle, source=cells)) as grader:
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
        patch.setattr(runner, "run_case", stumble)
        result = grader.grade("ada", submit(), clock)
    assert result.status is Status.NEEDS_ATTENTION
    assert result.notes == ("the harness broke: ZeroDivisionError: of ours",)
    assert grader.grade("ada", submit(), clock).earned == 5.0


@pytest.fixture
def forks(monkeypatch):
    """Return a list with an item for each session in which cases are run."""
    forks = []
    run_in = Grader._run_in
    monkeypatch.setattr(Grader, "_run_in", lambda *a: forks.append(1) or run_in(*a))
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
