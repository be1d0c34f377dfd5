import math

import numpy as np
import pytest

from autograder.authoring.subject import Proxy, Subject
from autograder.errors import CheckFailure, HarnessError, StudentError
from autograder.sandbox.protocol.messages import InProcessSession

CODE = """
import numpy as np

answer = 42
unanswered = ...
long_keys = [abs, abs]
for _ in range(30):
    long_keys = {"k" * 10_000: long_keys}
nested = [1, {"f": abs}, (abs,)]

class Model:
    size = 3
    def scaled(self, x):
        return self.size * x

model = Model()

def same(*args, **kwargs):
    return 1

def fill(x, y=None):
    (x if y is None else y)[0] = -1.0

def fill_inside(xs):
    xs[0][0] = -1.0

def append(xs):
    xs.append(1)

def set_key(d):
    d["w"] = 1.0

def set_inside(d):
    d["w"][0] = -1.0

def grow(model):
    model.size += 1

def name_of(f):
    return f.__name__

def one():
    pass

def two():
    pass
"""


def subject(pure=False):
    names = {}
    exec(CODE, names)
    return Subject(InProcessSession(names), pure=pure)


@pytest.fixture
def student():
    return subject()


@pytest.fixture
def pure():
    return subject(pure=True)


def changed(call, *args, **kwargs):
    with pytest.raises(CheckFailure) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_a_name_is_a_value_or_an_object_that_can_be_called(student):
    assert student.answer == student["answer"] == 42
    assert isinstance(student.model, Proxy)
    assert repr(student.model) == "<Model model>"


def test_an_object_gives_attributes_and_methods(student):
    assert student.model.size == 3
    assert student.model.scaled(np.ones(2)).tolist() == [3.0, 3.0]
    assert repr(student.model.scaled) == "<method model.scaled>"


def test_objects_inside_a_value_are_objects(student):
    one, table, pair = student.nested
    assert (one, table["f"](-2), pair[0](-3)) == (1, 2, 3)
    assert isinstance(pair, tuple)


def test_a_missing_name_or_attribute_is_the_students_error(student):
    with pytest.raises(StudentError, match=r"^nothing is not defined in the notebook$"):
        _ = student.nothing
    with pytest.raises(StudentError, match=r"^AttributeError: .*'width'"):
        _ = student.model.width


def test_an_object_is_no_value_whatever_it_is_asked(student):
    for ask in (bool, lambda x: x == 1, lambda x: x < 1, lambda x: x > 1, lambda x: x >= 1):
        with pytest.raises(CheckFailure, match=r"^model: an object of type Model, expected a val"):
            ask(student.model)
        with pytest.raises(CheckFailure, match=r"^unanswered: not answered yet$"):
            ask(student.unanswered)


def test_what_is_inside_a_value_has_a_short_name_however_long_its_keys_are(student):
    value = student.long_keys
    for _ in range(30):
        ((key, value),) = value.items()
        assert len(key) == 10_000
    assert all(len(item.label) < 1000 for item in value)


def test_private_names_are_no_part_of_the_notebook(student):
    for owner in (student, student.model):
        with pytest.raises(AttributeError):
            _ = owner._hidden


def test_an_object_can_be_an_argument_of_its_own_session(student):
    assert student.name_of(student.one) == "one"


def test_an_object_of_another_session_is_refused_and_never_taken_for_another():
    student, reference = subject(), subject()
    _ = student.one  # whose number is that of the next line in the other session
    with pytest.raises(HarnessError):
        student.name_of(reference.two)
    with pytest.raises(HarnessError):
        student.name_of([{"f": reference.two}])


def test_arguments_are_copies(student):
    x = np.ones(3)
    student.fill(x)
    assert x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "which"),
    [
        ("fill", (np.ones(3),), {}, "`x`"),
        ("fill", (np.ones(3),), {"y": np.ones(2)}, "`y`"),
        ("fill", (np.zeros(1), np.ones(2)), {}, "`y`"),
        ("fill", ([1.0, 2.0],), {}, "`x`"),
        ("fill_inside", ([np.ones(2)],), {}, "`xs`"),
        ("append", ([],), {}, "`xs`"),
        ("set_key", ({},), {}, "`d`"),
        ("set_inside", ({"w": np.ones(2)},), {}, "`d`"),
    ],
)
def test_a_pure_call_may_change_no_argument_however_deep(pure, name, args, kwargs, which):
    assert changed(getattr(pure, name), *args, **kwargs) == (
        f"{name} changed its argument {which} in place; work on a copy"
    )


def test_a_pure_call_sees_nothing_of_a_change_inside_an_object(pure):
    pure.grow(pure.model)
    assert pure.model.size == 4


@pytest.mark.parametrize(
    "value",
    [
        1,
        2**80,
        -0.0,
        math.nan,
        math.inf,
        [math.nan],
        {"x": complex(math.nan, 1)},
        "text",
        b"bytes",
        None,
        np.array([math.nan, -0.0]),
        np.ones((3, 4)).T,
        np.ones(4)[::2],
        np.ones(2, ">f8"),
        np.float32(1),
        np.zeros((0, 2)),
    ],
)
def test_a_pure_call_that_changes_nothing_passes_whatever_it_was_given(pure, value):
    assert pure.same(value, [value], key=value) == 1


def test_apply_runs_a_helper_beside_the_notebook(student):
    assert student.apply(total_of, 1, factor=2) == 86


def test_a_helper_may_ask_whether_a_name_is_there(student):
    assert student.apply(lookup) == "fallback"


def test_a_helper_without_a_source_of_its_own_is_the_authors_fault(student):
    with pytest.raises(HarnessError):
        student.apply(lambda notebook: notebook.answer)
    with pytest.raises(HarnessError):
        student.apply(len)


def total_of(notebook, shift, factor):
    return factor * (notebook.answer + shift)


def lookup(notebook):
    return getattr(notebook, "nothing", "fallback")
