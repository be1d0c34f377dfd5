import inspect
import sys

import numpy as np
import pytest

from autograder.sandbox.inside.cells import Cells, make_shell


@pytest.fixture
def shell(monkeypatch):
    # A shell puts its own module in the place of the one that other tests start processes from.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    shell = make_shell()
    shell.reset(new_session=False)
    yield shell
    type(shell).clear_instance()


def run(shell, *cells):
    """Run cells, numbered from 1; return the namespace and the errors."""
    notebook = Cells(shell)
    errors = [notebook.run(number, cell).error for number, cell in enumerate(cells, 1)]
    return shell.user_ns, errors


def ran_in_ipython(shell, monkeypatch, *cells):
    calls = []
    original = shell.run_cell
    monkeypatch.setattr(shell, "run_cell", lambda s, **k: calls.append(s) or original(s, **k))
    namespace, errors = run(shell, *cells)
    return bool(calls), namespace, errors


PLAIN = {
    "assignments": ("x = 1", "y = x + 1"),
    "a function": ("def f(a):\n    return a\n\ny = f(2)",),
    "a last expression": ("y = 2\ny",),
    "the shell": ("shell = get_ipython()\ny = 2",),
    "a magic by its function": ("get_ipython().run_line_magic('pwd', '')\ny = 2",),
    "nothing": ("", "# a comment", "y = 2"),
}
IPYTHON = {
    "a magic": ("%pwd", "y = 2"),
    "a cell magic": ("%%capture\nz = 1", "y = 2"),
    "a command": ("!true", "y = 2"),
    "a question": ("y = 2", "y?"),
    "await": ("import asyncio\ny = await asyncio.sleep(0, 2)",),
    "what a command prints": ("text = !echo 2\ny = int(text[0])",),
    "indented": ("  y = 2",),
}


@pytest.mark.parametrize("cells", PLAIN.values(), ids=PLAIN)
def test_plain_python_is_run_without_ipython(shell, monkeypatch, cells):
    used, namespace, errors = ran_in_ipython(shell, monkeypatch, *cells)
    assert not used
    assert namespace["y"] == 2
    assert errors == [None] * len(cells)


@pytest.mark.parametrize("cells", IPYTHON.values(), ids=IPYTHON)
def test_what_ipython_knows_is_run_too(shell, cells):
    namespace, errors = run(shell, *cells)
    assert namespace["y"] == 2
    assert errors == [None] * len(cells)


@pytest.mark.filterwarnings("ignore:To exit")  # IPython's advice
@pytest.mark.parametrize("magic", ["", "%pwd"], ids=["plain", "IPython"])
@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("y = 1 / 0", ZeroDivisionError),
        ("raise NotImplementedError('f')", NotImplementedError),
        ("import sys; sys.exit(0)", SystemExit),
        ("raise KeyboardInterrupt", KeyboardInterrupt),
        ("{}['x']", KeyError),
    ],
)
def test_an_error_ends_its_cell_only(shell, magic, cell, kind):
    namespace, errors = run(shell, f"x = 1\n{cell}\nnever = len('')", magic, "y = x + 1")
    assert [type(error) for error in errors] == [kind, type(None), type(None)]
    assert namespace["y"] == 2
    assert "never" not in namespace


def test_an_error_of_syntax_is_its_cells(shell):
    namespace, errors = run(shell, "y = 2", "def f(:")
    assert [type(error) for error in errors] == [type(None), SyntaxError]
    assert namespace["y"] == 2


@pytest.mark.parametrize("deep", ["1+" * 50_000 + "1", "-" * 50_000 + "1"], ids=["sums", "signs"])
def test_what_is_nested_too_deeply_is_its_cells_error_and_never_ipythons(shell, monkeypatch, deep):
    used, namespace, errors = ran_in_ipython(shell, monkeypatch, "y = 2", f"x = {deep}")
    assert not used  # it would tokenize all of it three times
    assert isinstance(errors[1], (MemoryError, RecursionError))
    assert namespace["y"] == 2
    assert "x" not in namespace


@pytest.mark.parametrize("magic", ["", "%pwd"], ids=["plain", "IPython"])
def test_a_function_knows_its_source_and_its_place(shell, magic):
    namespace, _ = run(shell, magic, "def f(x):\n    return x  # here")
    assert inspect.getsource(namespace["f"]) == "def f(x):\n    return x  # here\n"
    assert namespace["f"].__code__.co_filename == "<cell 2>"
    assert namespace["f"].__module__ == "__main__"


@pytest.mark.parametrize("magic", ["", "%pwd"], ids=["plain", "IPython"])
def test_a_future_import_holds_for_later_cells_and_for_no_other_notebook(shell, magic):
    cell = "def f(x: no_such_name):\n    return 2"
    namespace, errors = run(shell, magic, "from __future__ import annotations", cell)
    assert errors == [None] * 3
    assert namespace["f"].__annotations__ == {"x": "no_such_name"}
    if not magic:
        assert isinstance(run(shell, cell)[1][0], NameError)


LACKING = {
    "a package": "import no_such_module",
    "a part of one": "from os import no_such_name",
    "a magic": "%no_such_magic",
    "an extension": "%load_ext no_such_extension",
    "a file": "open('no_such_file')",
}


@pytest.mark.parametrize("line", LACKING.values(), ids=LACKING)
def test_what_stands_below_a_line_that_lacks_something_is_run(shell, line):
    namespace, (error,) = run(shell, f"{line}\nx = [1]\nx.append(2)\ndef f(): return x")
    assert error is not None
    assert namespace["f"]() == [1, 2]


def test_definitions_below_an_error_count_where_nothing_else_is_defined(shell):
    namespace, errors = run(
        shell,
        "def right(): return 1",
        "1 / 0\ndef right(): return 0\ndef other(): return LIMIT\nLIMIT = 3\nside = [right()]",
    )
    assert isinstance(errors[1], ZeroDivisionError)
    assert (namespace["right"](), namespace["other"]()) == (1, 3)
    assert "side" not in namespace


def test_a_definition_below_an_error_replaces_a_stub(shell):
    cells = Cells(shell)
    cells.run(1, "def f():\n    raise NotImplementedError", "stub")
    cells.run(2, "1 / 0\ndef f(): return 1", "own")
    assert shell.user_ns["f"]() == 1


STUB = "def f():\n    raise NotImplementedError\nleft = ..."


def test_an_answer_above_its_untouched_stub_counts(shell):
    cells = Cells(shell)
    cells.run(1, "def f(): return 1\nleft = 2")
    ran = cells.run(2, STUB, "stub")
    assert ran.kept == ("f", "left")
    assert (shell.user_ns["f"](), shell.user_ns["left"]) == (1, 2)


def test_a_stub_replaces_what_the_release_itself_defined_above_it(shell):
    cells = Cells(shell)
    cells.run(1, "def f(): return 1\nleft = 2", "given")
    assert cells.run(2, STUB, "stub").kept == ()
    assert shell.user_ns["left"] is ...


def test_an_answer_in_a_cell_that_was_changed_replaces_one_above_it(shell):
    cells = Cells(shell)
    cells.run(1, "def f(): return 1")
    assert cells.run(2, "def f(): return 2", "answer").kept == ()
    assert shell.user_ns["f"]() == 2


def touched(shell, *cells):
    """Return whether each cell may have changed what those above it had left."""
    notebook = Cells(shell)
    return [notebook.run(i, source, kind).touched for i, (kind, source) in enumerate(cells, 1)]


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("own", "def other(): return 1"),
        ("own", "import math"),
        ("own", "z = w + 1"),
        ("own", "w"),
        ("given", "w[0] + print()"),
        ("given", "other = [1]"),
        ("own", "def g(): return 2  # the answer to a stub"),
    ],
)
def test_cells_that_only_define_leave_all_as_it_was(shell, kind, source):
    stub = ("stub", "def g():\n    raise NotImplementedError")
    assert touched(shell, ("own", "import numpy as np; w = np.ones(2)"), stub, (kind, source))[
        2
    ] is (False)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("own", "w = 3"),
        ("own", "del w"),
        ("own", "w[0] = 2"),
        ("own", "w += 1"),
        ("own", "w.fill(0)"),
        ("own", "for w in (): pass"),
        ("own", "def w(): pass"),
        ("own", "%pwd"),
        ("own", "import asyncio\nawait asyncio.sleep(0)"),
        ("given", "w = 3"),
        ("given", "np.seterr(all='ignore')"),
        ("given", "import os; os.chdir('/')"),
    ],
)
def test_cells_that_may_change_something_say_so(shell, kind, source, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with np.errstate():
        assert touched(shell, ("own", "import numpy as np; w = np.ones(2)"), (kind, source))[1]


def test_each_statement_that_may_last_is_told_before_it_begins(shell):
    told = []
    source = "import os\n\ndef f():\n    return 1\nx = f()\ny = [1]\nx += f()"
    Cells(shell).run(1, source, step=lambda *place: told.append(place))
    assert told == [(2, 5), (4, 7)]


def test_of_a_cell_that_was_stopped_the_upper_part_is_run_and_what_it_defines_below(shell):
    source = "x = [1]\nx.append(2)\nx.append(3)\nx.append(4)\ndef f(): return x"
    Cells(shell).run(1, source, stop=2)
    assert shell.user_ns["f"]() == [1, 2]
