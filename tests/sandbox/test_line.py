import os
import threading

import numpy as np
import pytest

from autograder.sandbox.inside.line import Line
from autograder.sandbox.protocol.kinds import Callback, Raised, Value
from autograder.sandbox.protocol.packed import Reference
from autograder.sandbox.protocol.wire import Packer, unpack


class Grader:
    """Keeps what it is asked; answers with twice the argument, or what it is told to."""

    def __init__(self, reply=None):
        self.asked, self._reply = [], reply

    def __call__(self, message):
        self.asked.append(message)
        if self._reply is not None:
            return self._reply
        packer = Packer(None)
        x = unpack(message.args[0], [bytearray(b) for b in message.bodies], None)
        return Value(packer.pack(2 * x)).with_bodies(packer.bodies)


@pytest.fixture
def line():
    return Line()


def test_a_call_is_passed_back_with_its_name_and_values(line):
    grader, double = Grader(), line.function("double")
    with line.open(grader):
        assert double(3, key="k") == 6
    assert grader.asked == [Callback("double", [3], {"key": "k"})]
    assert double.__name__ == "double"


def test_arrays_cross(line):
    with line.open(Grader()):
        assert line.function("double")(np.ones(2)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("value", [object(), len, {1: 2}, [object()], np.array([None])])
def test_an_object_is_refused_before_anything_is_asked(line, value):
    grader = Grader()
    with line.open(grader), pytest.raises(TypeError, match="double is given, and takes values"):
        line.function("double")(value)
    assert grader.asked == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ValueError", ValueError),
        ("IndexError", IndexError),
        ("MemoryError", MemoryError),
        ("UnicodeDecodeError", RuntimeError),  # which wants more than a text
        ("SystemExit", RuntimeError),
        ("KeyboardInterrupt", RuntimeError),
        ("print", RuntimeError),
        ("NoSuchError", RuntimeError),
    ],
)
def test_what_the_reference_raises_is_raised_here(line, name, kind):
    grader = Grader(Raised(name, "the words"))
    with line.open(grader), pytest.raises(kind, match="the words") as caught:
        line.function("double")(1)
    assert type(caught.value) is kind


def test_an_object_never_comes_back(line):
    grader = Grader(Value(Reference(0, "Net")))
    with line.open(grader), pytest.raises(TypeError):
        line.function("double")(1)


def test_nothing_can_be_called_before_and_behind_a_request(line):
    double = line.function("double")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="is given while a check calls, and not later"):
            double(1)
        with line.open(Grader()):
            double(1)


def test_a_child_process_cannot_call(line):
    grader, read_write = Grader(), os.pipe()
    with line.open(grader):
        child = os.fork()
        if child == 0:
            try:
                line.function("double")(1)
            except RuntimeError as error:
                os.write(read_write[1], str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    assert b"cannot be called by a child process" in os.read(read_write[0], 1000)
    assert grader.asked == []
    for descriptor in read_write:
        os.close(descriptor)


def test_an_argument_is_what_it_holds_and_its_own_methods_are_not_asked(line):
    double = line.function("double")

    class Lazy(list):
        def __iter__(self):
            return iter([double(5)])

    grader = Grader()
    with line.open(grader):
        assert double(Lazy([7])) == [7, 7]
    assert len(grader.asked) == 1


def test_threads_call_one_after_another(line):
    busy = threading.Lock()

    def ask(message):
        assert busy.acquire(blocking=False)
        threading.Event().wait(0.01)
        busy.release()
        return Value(7)

    got = []
    with line.open(ask):
        threads = [
            threading.Thread(target=lambda: got.append(line.function("double")(1)))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [7] * 5


def test_a_call_of_a_thread_ends_before_the_request_does(line):
    order, called = [], threading.Event()

    def ask(message):
        called.set()
        threading.Event().wait(0.05)
        order.append("answered")
        return Value(7)

    with line.open(ask):
        thread = threading.Thread(target=line.function("double"), args=(1,))
        thread.start()
        called.wait(5)
    order.append("closed")
    thread.join()
    assert order == ["answered", "closed"]
