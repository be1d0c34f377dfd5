"""What `autograder new --kind` writes of each kind is proven, and graded in sessions."""

import json

import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.artefacts.results import Verdict
from autograder.audit.checking import trial
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.publish import compile_and_publish
from autograder.cli import main
from autograder.compiler.build import compile_assignment, pack
from autograder.compiler.skeleton import KINDS, write_skeleton
from autograder.course import find_course
from autograder.errors import UsageError
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits

QUESTIONS = {kind: skeleton.question for kind, skeleton in KINDS.items()}
LIMITS = Limits(cell_seconds=10.0, call_seconds=10.0, submission_seconds=120.0)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    (root / "course.toml").write_text('name = "Kinds"\n')
    course = find_course(root)
    write_skeleton(course, "kinds", list(KINDS))
    return course


@pytest.fixture(scope="module")
def compiled(course):
    return compile_assignment(course, "kinds")


@pytest.fixture(scope="module")
def grader(compiled):
    bundle = parse_bundle(pack(compiled).bundle, "kinds")
    with Grader(bundle, load_bundle_oracle(bundle), b"a secret", LIMITS) as grader:
        yield grader


def notebook(compiled, answers, before=""):
    """Return the release with some answers in place of stubs."""
    found = json.loads(compiled.release)
    for cell in found["cells"]:
        name = cell["metadata"]["nbgrader"]["grade_id"].removeprefix("solution_")
        if name in answers and cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = answers[name]
            if name == next(iter(answers)):
                cell["source"] = f"{before}\n{answers[name]}"
    return json.dumps(found).encode()


@pytest.fixture(scope="module")
def grade(grader, compiled):
    """Return a function that grades answers, and gives what each check earned, and its messages."""

    def grade(answers, before=""):
        result = grader.grade("ada", notebook(compiled, answers, before))
        checks = [check for question in result.questions for check in question.checks]
        return (
            {check.name: check.earned for check in checks},
            {c.name: [case.message for case in c.cases if case.message] for c in checks},
            [case.verdict for check in checks for case in check.cases],
        )

    return grade


def earned_by(grade, kind, answer, before=""):
    earned, messages, _ = grade({QUESTIONS[kind]: answer}, before)
    own = [name for name in earned if name.startswith(QUESTIONS[kind])]
    return sum(earned[name] for name in own), " ".join(m for name in own for m in messages[name])


# Arrays that are large enough to be measured take long to be tried: `test_memory` grades with them.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "memory"])
def test_a_question_is_proven(kind, compiled, monkeypatch):
    """Mistakes and null models fail, alternatives pass; with fewer inputs than in a real audit."""
    monkeypatch.setattr(trial, "SAMPLES", ())
    monkeypatch.setattr(trial, "SEEDS", trial.SEEDS[:2])
    monkeypatch.setattr(trial, "FEWEST", 1)
    question = QUESTIONS[kind]
    checks = [c for c in compiled.oracle.checks.values() if c.question == question]
    found = [audit_check(check, [question], [question], compiled.oracle) for check in checks]
    assert [finding for one in found for finding in one.findings] == []
    bank = compiled.oracle.bank(checks[0])
    assert len(bank.mistakes) >= 2
    assert bank.alternatives
    rejected = {label for one in found for label in one.rejects}
    assert rejected == {mistake.label for mistake in bank.mistakes}
    assert all(one.accepts == len(bank.alternatives) for one in found)
    assert all(
        one.null_models > 12 for one, check in zip(found, checks, strict=True) if check.points
    )


def test_what_guessing_earns_is_told(compiled, monkeypatch):
    monkeypatch.setattr(trial, "SAMPLES", ())
    check = compiled.oracle.checks["what_momentum_does_is_right"]
    found = audit_check(check, [check.question], [check.question], compiled.oracle)
    assert found.free == {"the first option": ["half of what is right"]}


def test_questions_that_are_answered_compile_with_their_audit(tmp_path):
    (tmp_path / "course.toml").write_text('name = "Kinds"\n')
    course = find_course(tmp_path)
    write_skeleton(course, "two", ["choice", "number"])
    outcome = compile_and_publish(course, "two", lambda _: None, jobs=1)
    assert "the solution earns 3 of 3, the blank release 0" in outcome.summary[0]
    assert outcome.score == 1.0


def test_the_solution_earns_all_in_a_session(grader, compiled):
    result = grader.grade("ada", compiled.solution)
    assert result.earned == result.possible == 15.0


def test_a_release_measures_nothing_and_says_so(compiled):
    recorded = compiled.recording.replies
    assert set(recorded) == {
        "what_momentum_does_has_the_right_form",
        "plot_losses_shows_both_curves",
        "nearest_rows_matches_reference",
        "fit_and_predict_is_right_on_new_data",
        "mean_square_matches_reference",
    }


def test_an_unknown_kind_is_refused(course):
    with pytest.raises(UsageError, match="a kind must be one of choice, number, plot"):
        write_skeleton(course, "other", ["essay"])


def test_the_command_writes_several_kinds_and_refuses_what_it_does_not_know(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "course.toml").write_text('name = "Kinds"\n')
    monkeypatch.chdir(tmp_path)
    assert main(["new", "two", "--kind", "number", "--kind", "choice"]) == 0
    banks = {path.name for path in (tmp_path / "assignments" / "two" / "bank").iterdir()}
    assert banks == {"weights_in_memory.py", "what_momentum_does.py"}
    assert main(["new", "other", "--kind", "essay"]) == 2
    assert main(["new", "--course", "Kinds", "--kind", "plot"]) == 2
    said = capsys.readouterr().err
    assert "a kind must be one of choice, number, plot, speed, training, memory" in said
    assert "--kind goes with an assignment" in said
    assert not (tmp_path / "assignments" / "other").exists()


# Right, wrong and cheating submissions, graded in sessions.


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ('"AC"', 2),
        ('["a", "c"]', 2),
        ('"A"', 1),
        ('"ABC"', 1),
        ('"ABCD"', 0),
        ('""', 0),
        ("...", 0),
    ],
)
def test_choices(grade, answer, points):
    assert earned_by(grade, "choice", f"what_momentum_does = {answer}")[0] == points


def test_an_object_that_equals_everything_is_no_choice(grade):
    cheat = "class Any(str):\n    __eq__ = lambda *_: True\n    __hash__ = str.__hash__\n"
    cheat += "    __contains__ = lambda *_: True\nwhat_momentum_does = Any('B')"
    assert earned_by(grade, "choice", cheat)[0] == 0


@pytest.mark.parametrize(
    ("answer", "points"),
    [("67.1", 1), ('"0.0671 GB"', 1), ('"4096 * 4096"', 0), ("67.3", 0), ('"67.1 ms"', 0)],
)
def test_numbers(grade, answer, points):
    assert earned_by(grade, "number", f"weights_in_memory = {answer}")[0] == points


PLOT = """def plot_losses(losses):
    t = np.arange(1, len(losses) + 1)
    plt.semilogy(t, losses, label="loss")
    plt.semilogy(t, {mean}, label="mean")
    plt.xlabel("t")
    plt.ylabel("loss")
    plt.legend()
"""


def test_plots(grade):
    assert earned_by(grade, "plot", PLOT.format(mean="losses.cumsum() / t"))[0] == 3
    points, said = earned_by(grade, "plot", PLOT.format(mean="losses.mean() + 0 * t"))
    assert points == 0
    assert "curve 'running mean', y:" in said


def test_a_figure_that_says_what_it_does_not_show_earns_nothing(grade):
    """Axes that claim labels and a legend still have no right numbers to tell."""
    forged = """from matplotlib.axes import Axes
Axes.get_xlabel = Axes.get_ylabel = lambda self: "loss"
Axes.get_yscale = lambda self: "log"
def plot_losses(losses):
    plt.plot(losses, label="loss")
    plt.plot(losses, label="mean")
    plt.legend()
"""
    assert earned_by(grade, "plot", forged)[0] == 0


LOOP = """def nearest_rows(x):
    found = []
    for i, a in enumerate(x):
        far = [np.inf if i == j else ((a - b) ** 2).sum() for j, b in enumerate(x)]
        found.append(int(np.argmin(far)))
    return np.array(found)
"""
FAST = """def nearest_rows(x):
    far = ((x[:, None] - x) ** 2).sum(axis=2)
    far[np.arange(len(x)), np.arange(len(x))] = np.inf
    return far.argmin(axis=1)
"""
CLOCKS = """import time
for _name in ("perf_counter", "process_time", "monotonic", "time", "thread_time"):
    setattr(time, _name, lambda: 0.0)
time.sleep = lambda _: None
print("0.0 s")
"""
CACHE = """_loop, _kept = nearest_rows, {}
def nearest_rows(x):
    if x.shape not in _kept:
        _kept[x.shape] = _loop(x)
    return _kept[x.shape]
"""
EMPTY = "def nearest_rows(x):\n    return np.zeros(len(x), int)\n"


def test_speed(grade):
    assert earned_by(grade, "speed", FAST)[0] == 4
    points, said = earned_by(grade, "speed", LOOP)
    assert points == 2
    assert "times as long as the reference; at most 30 times is fast enough" in said


@pytest.mark.parametrize(
    ("cheat", "before"),
    [(LOOP, CLOCKS), (LOOP + CACHE, ""), (EMPTY, "")],
    ids=["clock", "cache", "empty"],
)
def test_nobody_is_fast_by_a_clock_or_a_memory_of_their_own(grade, cheat, before):
    earned, _, _ = grade({"nearest_rows": cheat}, before)
    assert earned["nearest_rows_is_fast"] == 0


TRAIN = """def fit_and_predict(inputs, labels, new_inputs):
    means = [inputs[labels == k].mean(axis=0) for k in (0, 1)]
    return np.argmin([((new_inputs - m) ** 2).sum(axis=1) for m in means], axis=0)
"""
SEEN = """def fit_and_predict(inputs, labels, new_inputs):
    return np.resize(labels, len(new_inputs))
"""
SEARCH = """import gc
def fit_and_predict(inputs, labels, new_inputs):
    for one in gc.get_objects():
        for name in ("held_targets", "targets"):
            found = one.get(name) if isinstance(one, dict) else getattr(type(one), name, None)
            if isinstance(found, np.ndarray) and len(found) == len(new_inputs):
                return found
    return labels[: len(new_inputs)]
"""


def test_training(grade):
    assert earned_by(grade, "training", TRAIN)[0] == 3
    constant = TRAIN.partition("\n")[0] + "\n    return [0] * len(new_inputs)\n"
    points, said = earned_by(grade, "training", constant)
    assert points == 0
    assert "on 120 held-out examples, expected at least 0.9" in said


@pytest.mark.parametrize("cheat", [SEEN, SEARCH], ids=["seen", "search"])
def test_no_labels_are_to_be_had_but_those_to_train_on(grade, cheat):
    assert earned_by(grade, "training", cheat)[0] == 0


COPY = "def mean_square(x):\n    return float((x**2).mean())\n"
DENIALS = """import resource, tracemalloc
tracemalloc.get_traced_memory = lambda: (0, 0)
resource.getrusage = lambda *_: (0,) * 16
def _reset():
    try:
        open("/proc/self/clear_refs", "w").write("5")
    except OSError:
        pass
"""
HIDDEN = """def mean_square(x):
    value = float((x**2).mean())
    _reset()
    return value
"""
IN_A_CHILD = """import os
def mean_square(x):
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(here, repr(float((x**2).mean())).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return float(os.read(there, 100))
"""


def test_memory(grade):
    assert (
        earned_by(grade, "memory", "def mean_square(x):\n    return float(x @ x) / len(x)\n")[0]
        == 2
    )
    points, said = earned_by(grade, "memory", COPY)
    assert points == 1
    assert "MB at its peak, expected 19 at most" in said


@pytest.mark.parametrize(("cheat", "before"), [(HIDDEN, DENIALS), (IN_A_CHILD, "")])
def test_memory_that_is_denied_or_another_process_s_is_counted(grade, cheat, before):
    earned, _, verdicts = grade({"mean_square": cheat}, before)
    assert earned["mean_square_matches_reference"] == 1
    assert earned["mean_square_takes_little_memory"] == 0
    assert Verdict.BROKEN not in verdicts
