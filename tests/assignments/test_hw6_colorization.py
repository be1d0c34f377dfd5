"""Homework 6 grades as it should: answers that are right pass, and known mistakes do not."""

import ast
import copy
import functools
import inspect
import re
import types
import warnings
from pathlib import Path

import jupytext
import matplotlib.figure
import numpy as np
import pytest
import torch

from autograder.authoring.budget import GRADING
from autograder.authoring.checks import case_rng
from autograder.authoring.subject import Subject
from autograder.errors import CheckFailure
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession
from reference import scenes

NAME = "hw6_colorization"
ROOT = Path(__file__).parents[2]
SECRETS = (b"one", b"two", b"three")
NOTEBOOK = jupytext.read(ROOT / "assignments" / NAME / f"{NAME}.py")
SELF_CHECK = re.compile(r"^self_check\(\w+\)$", re.MULTILINE)


def load():
    cells = [
        Cell("given", number, SELF_CHECK.sub("", cell.source))
        for number, cell in enumerate(NOTEBOOK.cells, 1)
        if cell.cell_type == "code"
    ]
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in ROOT.glob("reference/**/*.py")}
    return load_oracle(cells, texts, NAME, f"{NAME}.py")


ORACLE = load()
CHECKS = list(ORACLE.checks.values())
SCORED = [check for check in CHECKS if check.points]
HERE = [check for check in CHECKS if check.device != "cuda" or torch.cuda.is_available()]
SCORED_HERE = [check for check in HERE if check.points]
MANUAL = {
    cell.metadata["question"]: cell.metadata["points"]
    for cell in NOTEBOOK.cells
    if cell.metadata.get("manual")
}


def run(check, case, secret, values):
    """Run a case with some names of the notebook replaced."""
    return run_case(
        check,
        case,
        InProcessSession({**ORACLE.namespace, **values}),
        ReferenceSession(ORACLE.namespace),
        lambda: case_rng(secret, NAME, check.name, case.name),
    )


def run_all(check, values):
    """Run all cases with all secrets: (case, secret), result."""
    return [
        (f"{case.name}, secret {secret.decode()}", run(check, case, secret, values))
        for secret in SECRETS
        for case in check.cases
    ]


def variants(kind):
    return [
        pytest.param(check, variant, id=f"{check.name}-{variant.title}")
        for check in HERE
        for variant in getattr(check, kind)
    ]


@pytest.mark.parametrize(
    ("check", "case"),
    [pytest.param(c, k, id=f"{c.name}-{k.name}") for c in HERE for k in c.cases],
)
def test_the_reference_passes_every_case(check, case):
    for secret in SECRETS:
        result = run(check, case, secret, {})
        assert result.verdict is Verdict.PASSED, result.message


@pytest.mark.parametrize(("check", "variant"), variants("mistakes"))
def test_a_mistake_fails_a_case_and_breaks_none(check, variant):
    first, *others = SECRETS
    verdicts = {run(check, case, first, variant.values).verdict for case in check.cases}
    assert Verdict.BROKEN not in verdicts
    assert verdicts != {Verdict.PASSED}
    for secret in others:
        results = (run(check, case, secret, variant.values) for case in check.cases)
        assert any(r.verdict not in (Verdict.PASSED, Verdict.BROKEN) for r in results), secret


@pytest.mark.parametrize(("check", "variant"), variants("alternatives"))
def test_an_alternative_passes_every_case(check, variant):
    failed = {n: r.message for n, r in run_all(check, variant.values) if r.verdict != "passed"}
    assert not failed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_check_with_points_has_mistakes_and_alternatives(check):
    assert check.mistakes
    assert check.alternatives


# Null answers


class NullNet(torch.nn.Module):
    """A network without work, made as the four of the homework are."""

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        self.colours = num_colours
        self.bias = torch.nn.Parameter(torch.zeros(1, num_colours, 1, 1))

    def zeros(self, x):
        return (self.bias + torch.zeros(len(x), 1, *x.shape[2:], dtype=x.dtype)).to(x.dtype)


def null_networks(make):
    """What a network returns that was made by someone who did nothing."""

    class Net(NullNet):
        def forward(self, x):
            return make(self, x)

    return dict.fromkeys(NETWORKS, Net)


def like(make):
    """A function that returns what is made of each array or number in the right answer."""

    def replaced(value):
        if isinstance(value, tuple):
            return tuple(replaced(v) for v in value)
        if isinstance(value, torch.Tensor):
            return torch.as_tensor(make(value.detach().numpy())).to(value.dtype)
        if isinstance(value, np.ndarray):
            return np.asarray(make(value)).astype(value.dtype)
        made = np.asarray(make(np.asarray(value))).ravel()
        return type(value)(made[0]) if made.size and isinstance(value, (int, float)) else None

    def wrap(right):
        def function(*args, **kwargs):
            # A copy: the right answer may train the very model that is handed over.
            safe = copy.deepcopy(args)
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if right.__name__ == "colour_epoch":
                    return replaced(1.0)
                return replaced(right(*safe, **kwargs))

        return function

    return wrap


def values(make):
    return lambda right: lambda *args, **kwargs: make(*args)


NULLS = {
    "nothing": (values(lambda *args: None), lambda net, x: None),
    "zeros": (like(np.zeros_like), lambda net, x: net.zeros(x)),
    "ones": (like(np.ones_like), lambda net, x: net.zeros(x) + 1),
    "nan": (like(lambda v: np.full(v.shape, np.nan)), lambda net, x: net.zeros(x) * np.nan),
    "empty": (like(lambda v: v.ravel()[:0]), lambda net, x: x[:0]),
    "a longer shape": (like(lambda v: v[None]), lambda net, x: net.zeros(x)[None]),
    "the input": (values(lambda *args: args[0]), lambda net, x: x),
    "a constant": (like(lambda v: np.full(v.shape, 2)), lambda net, x: net.zeros(x) + 2),
    "a text": (values(lambda *args: "answer"), lambda net, x: "answer"),
    "a figure": (values(lambda *args: matplotlib.figure.Figure()), lambda net, x: net),
}
NETWORKS = ("PoolUpsampleNet", "ConvTransposeNet", "UNet", "DilatedUNet")
FUNCTIONS = [
    name
    for name, value in ORACLE.namespace.items()
    if callable(value) and getattr(value, "__module__", "").startswith("reference.")
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("check", SCORED_HERE, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, null):
    function, score = NULLS[null]
    answers = {n: function(ORACLE.namespace[n]) for n in FUNCTIONS if n not in NETWORKS}
    if null == "a longer shape":  # which a tuple of numbers does not have
        answers["padding_for"] = lambda kernel: [[1, 1, 1]]
        answers["evaluate"] = lambda *args: [[0.0, 0.0]]
        answers["colour_epoch"] = lambda *args: [0.0]
    answers |= null_networks(score)
    for secret in SECRETS:
        verdicts = [run(check, case, secret, answers).verdict for case in check.cases]
        # Where all depend on all, a guess may be right in a case, and not in every one.
        earning = all if check.all_or_nothing else any
        assert not earning(verdict is Verdict.PASSED for verdict in verdicts)


@pytest.mark.parametrize("check", SCORED_HERE, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    verdicts = {r.verdict for _, r in run_all(check, dict.fromkeys(FUNCTIONS, stub))}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


# The mistake bank: words of the title of each

BANK = [
    "the second max pooling is missing",
    "a ReLU behind the last convolution",
    "batch norm behind the ReLU",
    "batch norm in front of the pooling",
    "the padding is 1 whatever the kernel size",
    "no output padding: of the two sizes",
    "bilinear upsampling",
    "in the wrong order: late pictures",
    "takes the output of the second block",
    "the last layer does not see the input",
    "one batch norm for two places",
    "layers in a plain list",
    "a softmax inside the network",
    "a softmax in front of the cross-entropy",
    "reshaped without moving the colours",
    "evaluation mode is not switched on",
    "argmin over the pictures",
    "argmin over the channels",
    "the old gradients are never forgotten",
    "gradients are set to zero behind the backward pass",
    "the two arguments are swapped",
    "the losses are added up as tensors",
    "training mode is not switched on",
    "leaves the model in evaluation mode",
    "they stay behind on the CPU",
]
HARMLESS = [
    "the distance itself, with its root",
    "the square written out",
]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("mistakes", w) for w in BANK] + [("alternatives", w) for w in HARMLESS],
)
def test_the_mistake_bank_is_covered(kind, words):
    titles = [v.title for check in CHECKS for v in getattr(check, kind)]
    assert any(words in title for title in titles)


def test_the_batches_of_a_hundred_of_the_old_starter_code_are_a_mistake():
    titles = [m.title for m in ORACLE.checks["get_rgb_cat_matches_reference"].mistakes]
    assert any("a hundred" in title for title in titles)


# Training

# Shares of pixels coloured rightly in the check of Question 5.5, by network, seeds 0 to 15 of
# inputs and of initial weights.
SHARES = {
    "PoolUpsampleNet": [
        0.665,
        0.559,
        0.670,
        0.673,
        0.677,
        0.666,
        0.660,
        0.650,
        0.682,
        0.660,
        0.683,
        0.652,
        0.657,
        0.605,
        0.663,
        0.653,
    ],
    "ConvTransposeNet": [
        0.653,
        0.609,
        0.672,
        0.668,
        0.651,
        0.678,
        0.642,
        0.576,
        0.654,
        0.659,
        0.666,
        0.668,
        0.639,
        0.665,
        0.680,
        0.629,
    ],
    "UNet": [
        0.707,
        0.719,
        0.741,
        0.744,
        0.748,
        0.734,
        0.720,
        0.690,
        0.709,
        0.733,
        0.731,
        0.708,
        0.544,
        0.723,
        0.750,
        0.709,
    ],
}
WORST_MISTAKE = 0.37  # the largest share that a mistake of that check reached in 4 seeds


@pytest.mark.parametrize("name", SHARES)
def test_a_threshold_is_far_from_right_and_from_wrong_networks(name):
    shares, threshold = np.array(SHARES[name]), ORACLE.namespace["PASSING"]["scenes"][name]
    assert len(shares) >= 10
    # Without any assumption on the shape of the distribution (Cantelli's inequality); a check fails
    # a network only if all of its trainings fail.
    deviations = (shares.mean() - threshold) / shares.std(ddof=1)
    assert (1 / (1 + deviations**2)) ** ORACLE.namespace["TRAININGS"] < 1e-3
    assert threshold > WORST_MISTAKE + 0.1


class Colourer:
    """A student or a reference whose trainings end as it is told."""

    def __init__(self, scores, shares=()):
        self.scores, self.shares, self.right = scores, list(shares), None

    def apply(self, function, name, start, pictures, categories, unseen, colours, precise):
        if not precise and len(pictures):
            where = np.arange(self.right.size).reshape(self.right.shape)
            hit = where < self.shares.pop(0) * self.right.size
            return {"numbers": np.where(hit, self.right, (self.right + 1) % colours)}
        return {"start": [np.zeros(3)], "scores": np.full(4, self.scores)}


def learn(mine, ours):
    """Run the check of a training for two colourers, of which ours is told the right colours."""
    names = ORACLE.namespace
    ours.right = names["disguised_scenes"](np.random.default_rng(0), 450)[1][400:]
    names["require_learning"](mine, ours, np.random.default_rng(0), "UNet")


def test_a_network_that_was_unlucky_is_trained_again():
    ours = Colourer(1.0, [0.47, 0.49, 0.66])
    learn(Colourer(1.0), ours)
    assert not ours.shares


def test_a_network_that_is_unlucky_three_times_has_not_learnt():
    with pytest.raises(CheckFailure, match=r"48% .* in the last of 3 trainings"):
        learn(Colourer(1.0), Colourer(1.0, [0.47, 0.49, 0.48]))


def test_a_network_whose_scores_are_no_training_s_from_its_start_has_not_learnt():
    with pytest.raises(CheckFailure, match="scores after 15 batches"):
        learn(Colourer(1.01), Colourer(1.0, [0.9]))


@pytest.mark.parametrize("name", SHARES)
def test_the_table_of_shares_is_what_training_gives(name):
    namespace = ORACLE.namespace
    torch.manual_seed(10_000)
    grey, right = namespace["disguised_scenes"](np.random.default_rng(0), 450)
    notebook = types.SimpleNamespace(**namespace)
    got = namespace["train_colourer"](
        notebook, name, None, grey[:400], right[:400], grey[400:], 8, False
    )["numbers"]
    # Rounding grows from step to step, and differs between machines.
    assert (got == right[400:]).mean() == pytest.approx(SHARES[name][0], abs=0.05)


def test_grading_trains_nothing_on_its_own():
    assert ORACLE.namespace["EPOCHS"] == 0


# Given code


def test_the_code_for_pictures_is_the_tested_one():
    """Students are given make_scenes and its kin as they are tested, under reference/."""
    given = "\n".join(c.source for c in NOTEBOOK.cells if c.cell_type == "code")
    found = {}
    for text in ((ROOT / "reference" / "scenes.py").read_text(), SELF_CHECK.sub("", given)):
        for node in ast.parse(text).body:
            name = getattr(node, "name", None)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.decorator_list:
                found.setdefault(name, []).append(ast.dump(node))
    for name in ("make_scenes", "kmeans_colours", "ArraysOnly", "load_cifar10"):
        assert len(found[name]) == 2
        assert len(set(found[name])) == 1
    for name in ("SKY", "MEADOW", "SUN", "POND", "WALL", "TREE", "HORSE"):
        assert ORACLE.namespace[name] == getattr(scenes, name)


def test_photographs_are_never_read_when_grading(monkeypatch):
    monkeypatch.setenv("DLHW_CIFAR10", "/nowhere")
    monkeypatch.setenv(GRADING, "1")
    assert ORACLE.namespace["load_pictures"](2, 1)[0] == "scenes"
    monkeypatch.delenv(GRADING)
    with pytest.raises(FileNotFoundError):
        ORACLE.namespace["load_pictures"](2, 1)


def test_the_helpers_of_gpu_checks_agree_on_the_cpu():
    """Without a GPU at hand, at least their code runs: with the CPU as the device."""
    session = InProcessSession(ORACLE.namespace)
    one, other = Subject(session), Subject(ReferenceSession(ORACLE.namespace))
    rng = np.random.default_rng(0)
    probe = ORACLE.namespace["probe"]
    got, want = probe(one, other, rng, "UNet", (3, 3, 4, 1), 2, True, "cpu")
    ORACLE.namespace["require_scores"](got, want)
    ORACLE.namespace["require_gradients"](got, want)
    ORACLE.namespace["compare_epochs"](one, other, rng, 7, 3, {"lr": 0.1}, True, "cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_check_can_be_passed_on_a_gpu():
    for check in CHECKS:
        if check.device == "cuda":
            assert {r.verdict for _, r in run_all(check, {})} == {Verdict.PASSED}


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_check_that_a_release_shows_draws_from_rng(check):
    """Its hidden cases are cut there: what is left must not be answerable from what is seen."""
    shown = any(not case.hidden for case in check.cases)
    assert not shown or "rng" in inspect.getsource(check.function).partition('"""')[2]


# Points


def test_the_points_sum_to_a_hundred():
    assert sum(check.points for check in CHECKS) + sum(MANUAL.values()) == 100


@functools.cache
def headings():
    """The points that the headings name, by title."""
    text = "\n".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown")
    found = re.findall(r"^## (\d\.\d .+) \((\d+) points?\)$", text, re.MULTILINE)
    return {title: int(points) for title, points in found}


def questions():
    """The points of each question in the order of the notebook."""
    points = {}
    for cell in NOTEBOOK.cells:
        if cell.metadata.get("manual"):
            points[cell.metadata["question"]] = cell.metadata["points"]
        for check in CHECKS:
            if check.points and re.search(rf"^def {check.name}\(", cell.source, re.MULTILINE):
                points[check.question] = points.get(check.question, 0) + check.points
    return points


def test_each_heading_names_the_points_of_its_question():
    assert list(headings().values()) == list(questions().values())


def test_the_table_of_parts_adds_up():
    table = re.findall(r"^\| (\d) \| .* \| (\d+) \|$", NOTEBOOK.cells[0].source, re.MULTILINE)
    sums = {part: 0 for part, _ in table}
    for title, points in headings().items():
        sums[title[0]] += points
    assert sums == {part: int(points) for part, points in table}


@pytest.mark.parametrize("question", MANUAL)
def test_a_rubric_adds_up_to_the_points_of_its_question(question):
    (cell,) = (c for c in NOTEBOOK.cells if c.metadata.get("question") == question)
    rubric = cell.source.partition("=== BEGIN MARK SCHEME ===")[2]
    points = re.findall(r"^- (\d+) points?:", rubric, re.MULTILINE)
    assert sum(map(int, points)) == MANUAL[question]
