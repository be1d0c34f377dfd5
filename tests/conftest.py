"""A tiny assignment: one given cell, two automatic questions, one manual question."""

import gc
import logging
import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings

from autograder.artefacts.bundle import Cell, pack_bundle
from autograder.artefacts.manifest import CheckEntry, Manifest, QuestionEntry
from autograder.artefacts.notebooks import nbformat  # a second quicker than nbformat itself
from autograder.grading.threads import use_one_thread
from tests.ordering import longest_first

new_code_cell, new_markdown_cell = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
new_notebook = nbformat.v4.new_notebook

# The same examples everywhere, and no deadline: this machine may be busy with other tests.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")


# Another thread of OpenBLAS waits awake behind each product, for 30 ms. Not by the environment,
# which commands that tests call would have, too.
use_one_thread()

# Nothing that is collected is garbage, and tests leave little: to look for some took a seventh of
# the time of both.
gc.set_threshold(100_000, 20, 20)


TESTS = Path(__file__).parent
WRITEUPS = TESTS / "demo" / "test_writeups.py"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Return a worker more than there are cores: some tests wait, for a limit or for somebody."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Put side by side what shares something that takes long, so that few processes make it.

    Folders, and what stands in each, stay in the order that was drawn for them; but what takes
    longest comes first, or workers that are through would wait for it at the end.
    """
    drawn = {}
    items.sort(key=lambda item: drawn.setdefault(_folder(item), len(drawn)))
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = longest_first(items, workers)


def _folder(item):
    """Return the folder of a test, or that whose compiled assignments it grades."""
    return TESTS / "assignments" if item.path == WRITEUPS else item.path.parent


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Run a test, and report how it went: once, where it passes, and in three parts where not.

    Each report goes to the process that began the run, which took the half of its time to read
    that fixtures were set up and torn down.
    """
    if item.config.option.durations or item.config.option.maxfail:
        return None  # which want each part, and at once
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_collection_finish():
    """Let the collector of garbage pass over what lives to the end, nearly all there is."""
    gc.freeze()


def _environment():
    """Return the environment, but for what pytest says in it of where it is."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture(autouse=True)
def process_as_it_was():
    """Put back what a test changed in its process: tests pass in any order, on any worker."""
    here, environment = os.getcwd(), _environment()
    numbers = random.getstate(), np.random.get_state()
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_warn_always(True)  # else a warning fails the first test in a process, no other
    yield
    os.chdir(here)
    if (left := _environment()) != environment:
        for name in left.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
    random.setstate(numbers[0])
    np.random.set_state(numbers[1])
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")  # pyplot keeps every figure, and warns from the twentieth on
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)  # as an oracle leaves it
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)


@pytest.fixture
def logged():
    """The messages that are logged as warnings or worse; `logging` of pytest is off.

    It hangs two handlers to each logger of torch and takes them away, three times a test.
    """
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    yield messages
    logging.getLogger().removeHandler(handler)


# No test loses power: one that grades would wait for the disk for a quarter of its time.
os.fsync = lambda _: None

GIVEN = "import numpy as np\n\nFACTOR = 2"
STUBS = {
    "double": 'def double(x):\n    """Return 2 x."""\n    raise NotImplementedError',
    "triple": 'def triple(x):\n    """Return 3 x."""\n    raise NotImplementedError',
}
SOLUTIONS = {
    "double": "def double(x):\n    return FACTOR * x",
    "triple": "def triple(x):\n    return x + double(x)",
}
PROMPT = "Your proof here."
REFERENCE = "def double(x):\n    return 2 * x\n\n\ndef triple(x):\n    return 3 * x\n"
CHECK = '''\
@check("{name}", points={points})
@case("short", n=2)
@case("long", n=50, hidden=True)
def {name}_is_right(student, reference, rng, n):
    """{name} multiplies."""
    x = rng.normal(size=n)
    assert_close(student.{name}(x), reference.{name}(x))
'''


def _marked(cell, grade_id, **marks):
    cell.id = grade_id.replace("_", "-")
    cell.metadata["nbgrader"] = {
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        "schema_version": 3,
        **marks,
    }
    return cell


def _release():
    answer = {"solution": True, "locked": False}
    return new_notebook(
        cells=[
            _marked(new_markdown_cell("# Multiples"), "title"),
            _marked(new_code_cell(GIVEN), "setup"),
            _marked(new_code_cell(STUBS["double"]), "double", **answer),
            _marked(
                new_code_cell("self_check(double_is_right)"),
                "double_is_right",
                grade=True,
                points=2,
            ),
            _marked(new_code_cell(STUBS["triple"]), "triple", **answer),
            _marked(
                new_code_cell("self_check(triple_is_right)"),
                "triple_is_right",
                grade=True,
                points=3,
            ),
            _marked(new_markdown_cell(PROMPT), "proof", grade=True, points=4, **answer),
        ]
    )


@pytest.fixture
def release():
    """The release notebook of the tiny assignment, fresh for each test."""
    return _release()


@pytest.fixture(scope="session")
def solutions():
    """The right answer of each automatic question, by grade_id."""
    return SOLUTIONS


@pytest.fixture(scope="session")
def submit():
    """Return a submitted file: the release with answers, and own cells in front and behind."""

    def submit(answers=SOLUTIONS, before=(), after=(), change=None):
        notebook = _release()
        for cell in notebook.cells:
            cell.source = answers.get(cell.metadata["nbgrader"]["grade_id"], cell.source)
        own = [[new_code_cell(source) for source in sources] for sources in (before, after)]
        notebook.cells = own[0] + notebook.cells + own[1]
        if change is not None:
            change(notebook)
        return nbformat.writes(notebook).encode()

    return submit


@pytest.fixture(scope="session")
def bundle_content():
    """The arguments of pack_bundle for the tiny assignment."""
    questions = [
        QuestionEntry(
            name,
            name.title(),
            points,
            False,
            (
                CheckEntry(
                    f"{name}_is_right",
                    name,
                    points,
                    (("short", False), ("long", True)),
                    False,
                    "any",
                    None,
                    f"{name} multiplies.",
                ),
            ),
        )
        for name, points in (("double", 2.0), ("triple", 3.0))
    ]
    questions.append(QuestionEntry("proof", "Proof", 4.0, True, (), "proof"))
    manifest = Manifest("tiny", "Multiples", "0", tuple(questions), ("numpy",), {}, {})
    sources = [
        ("given", GIVEN),
        ("given", "from autograder import assert_close, case, check"),
        ("solution", "from reference.multiples import double, triple"),
        ("check", CHECK.format(name="double", points=2)),
        ("check", CHECK.format(name="triple", points=3)),
    ]
    cells = tuple(Cell(kind, number, source) for number, (kind, source) in enumerate(sources, 1))
    reference = {"reference/__init__.py": "", "reference/multiples.py": REFERENCE}
    return manifest, cells, nbformat.writes(_release()).encode(), reference


@pytest.fixture(scope="session")
def bundle_path(bundle_content, tmp_path_factory):
    """The bundle of the tiny assignment."""
    path = tmp_path_factory.mktemp("bundle") / "tiny.bundle"
    path.write_bytes(pack_bundle(*bundle_content))
    return path


def pytest_runtest_setup() -> None:
    """Take Hypothesis's clock of the garbage collector away, which it sets once and for all.

    A time-out that fires inside it is lost: nothing raises out of a callback of the collector.
    """
    owners = [str(getattr(callback, "__module__", "")) for callback in gc.callbacks]
    pairs = zip(gc.callbacks, owners, strict=True)
    gc.callbacks[:] = [one for one, owner in pairs if not owner.startswith("hypothesis")]
