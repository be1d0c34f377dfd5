import inspect
import sys

import pytest

from autograder.sandbox.cells import Cells, make_shell


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
    errors = [notebook.run(number, cell) for number, cell in enumerate(cells, 1)]
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
MAGIC = {
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


@pytest.mark.parametrize("cells", MAGIC.values(), ids=MAGIC)
def test_what_is_not_is_run_by_ipython(shell, monkeypatch, cells):
    used, namespace, errors = ran_in_ipython(shell, monkeypatch, *cells)
    assert used
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
        ("import no_such_module", ModuleNotFoundError),
    ],
)
def test_an_error_ends_its_cell_only(shell, magic, cell, kind):
    namespace, errors = run(shell, f"x = 1\n{cell}\nnever = 1", magic, "y = x + 1")
    assert [type(error) for error in errors] == [kind, type(None), type(None)]
    assert namespace["y"] == 2
    assert "never" not in namespace


def test_an_error_of_syntax_is_its_cells(shell):
    namespace, errors = run(shell, "y = 2", "def f(:")
    assert [type(error) for error in errors] == [type(None), SyntaxError]
    assert namespace["y"] == 2


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
