import pytest

from autograder.errors import StudentError
from autograder.sandbox.inside import worker


def value(session, name):
    with session.check() as check:
        return check.get(name)


def test_cells_share_their_names_and_run_in_order(run):
    session = run("x = 1", "x += 1", "y = x * 10")
    assert value(session, "y") == 20
    assert [(n, r.error, r.ended) for n, r in session.runs.items()] == [
        (1, None, None),
        (2, None, None),
        (3, None, None),
    ]


def test_a_cell_that_raises_is_told_and_passed_over(run):
    session = run("x = 1", "x = 2; 1 / 0; x = 3", "y = x")
    assert value(session, "y") == 2
    assert session.runs[2].error == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys; sys.exit()", "SystemExit: "),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("raise NotImplementedError", "NotImplementedError: "),
        ("exit()", ""),
        ("class Loud(BaseException):\n    def __str__(self): raise self\nraise Loud", ""),
        ("assert False, 'x' * 10_000", "AssertionError: xxx"),
        ("%nosuchmagic", "UsageError"),
        ("import nosuchmodule", "ModuleNotFoundError"),
        ("\0", ""),
    ],
)
def test_no_error_of_a_cell_ends_the_notebook(run, cell, error):
    session = run(cell, "y = 2")
    assert value(session, "y") == 2
    assert (session.runs[1].error or "").startswith(error)
    assert len(session.runs[1].error or "") <= 500


@pytest.mark.parametrize(
    ("cell", "x"),
    [
        ("%timeit -n1 -r1 1\nx = 1", 1),
        ("a = %pwd\nx = len(a) > 0", True),
        ("!true\nx = 1", 1),
        ("out = !echo hello\nx = out[0]", "hello"),
        ("%%capture\nx = 1", 1),
        ("import asyncio\nx = await asyncio.sleep(0, 5)", 5),
        ("get_ipython().run_line_magic('pwd', '')\nx = 1", 1),
        ("from IPython.display import display\ndisplay(1)\nx = 1", 1),
        ("import sys\nsys.stdout.writelines(['a', 'b'])\nx = 1", 1),
        ("import sys\nprint('a', file=sys.stderr, flush=True)\nx = 1", 1),
        ("import logging\nlogging.warning('hm')\nx = 1", 1),
        ("import warnings\nwarnings.warn('hm')\nx = 1", 1),
    ],
)
def test_a_cell_may_do_what_it_may_in_jupyter(run, cell, x):
    session = run(cell)
    assert (session.runs[1].error, session.runs[1].ended) == (None, None)
    assert value(session, "x") == x


def test_what_is_printed_is_counted_and_not_kept(run):
    session = run("print('x' * 999)", "for _ in range(100): print('y' * 99_999)")
    assert [run.printed for run in session.runs.values()] == [1000, 10_000_000]


def test_a_class_of_the_notebook_is_of_main_and_can_be_pickled(run):
    session = run(
        "class A: pass\nimport pickle\nx = type(pickle.loads(pickle.dumps(A()))).__module__"
    )
    assert value(session, "x") == "__main__"


def test_a_traceback_names_the_cell_and_the_line(run):
    session = run("x = 1", "def f():\n    return 1 / 0")
    with session.check() as check, pytest.raises(StudentError) as caught:
        check.call(check.get("f").number, (), {}, False)
    assert str(caught.value) == "ZeroDivisionError: division by zero (cell 2, line 2)"


def test_the_source_of_a_function_is_to_be_had(run):
    session = run("def f():\n    return 1", "import inspect\nx = inspect.getsource(f)")
    assert value(session, "x") == "def f():\n    return 1\n"


def test_a_value_too_large_for_a_message_is_the_students_error(run):
    session = run("import numpy as np\nx = np.zeros(2 << 20)\ny = 1")
    with session.check() as check:
        with pytest.raises(StudentError, match=r"^ValueError: a value of more than 8 MB$"):
            check.get("x")
        assert check.get("y") == 1


def test_torch_is_seeded_and_tensors_cross(run, torch_fork_server):
    session = run(
        "import torch\ndef draw(): return torch.rand(3)\nthreads = torch.get_num_threads()",
        fork_server=torch_fork_server,
    )
    with session.check() as check:

        def draw():
            check.seed(7)
            return check.call(check.get("draw").number, (), {}, False)[0].tolist()

        assert draw() == draw()
        assert check.get("threads") == 1


def test_a_convolution_runs_in_a_fork_of_a_warm_torch(run, torch_fork_server):
    cell = (
        "import torch\n"
        "def f(x):\n"
        "    x = x.clone().requires_grad_()\n"
        "    torch.nn.functional.conv2d(x, torch.ones(2, 3, 3, 3)).sum().backward()\n"
        "    return x.grad\n"
        "first = f(torch.ones(1, 3, 8, 8))"
    )
    session = run(cell, fork_server=torch_fork_server)
    for _ in range(2):
        with session.check() as check:
            got, _ = check.call(check.get("f").number, (check.get("first"),), {}, False)
            assert got.shape == (1, 3, 8, 8)


def test_a_fork_waits_for_room_until_killed_processes_are_gone(monkeypatch):
    tries = iter([BlockingIOError, BlockingIOError])

    def fork():
        if (error := next(tries, None)) is not None:
            raise error
        return 7

    monkeypatch.setattr(worker, "fork", fork)
    assert worker._fork_soon() == 7
    tries = iter([BlockingIOError] * 1000)
    monkeypatch.setattr(worker, "ROOM_SECONDS", 0.0)
    with pytest.raises(BlockingIOError):
        worker._fork_soon()
