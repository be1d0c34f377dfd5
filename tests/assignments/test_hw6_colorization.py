"""Homework 6: known mistakes, networks without work, how often training fails, and given code."""

import ast
import types
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import nbformat
import numpy as np
import pytest
import torch

from autograder.artefacts.results import Verdict
from autograder.authoring import timing
from autograder.authoring.budget import GRADING
from autograder.authoring.subject import Subject
from autograder.compiler.syntax import bound_names
from autograder.errors import CheckFailure
from autograder.grading.cases import ReferenceSession
from autograder.sandbox.protocol.messages import InProcessSession
from tests.assignments.homework import COURSE, Homework, homework


@pytest.fixture
def hw() -> Homework:
    return homework("hw6_colorization")


# Networks that do nothing, and can be trained all the same

NETWORKS = ("PoolUpsampleNet", "ConvTransposeNet", "UNet", "DilatedUNet")
QUESTIONS = ("pool_upsample_net", "conv_transpose_net", "unet", "dilated_unet", "training")


class NullNet(torch.nn.Module):
    """A network without work, made as the four of the homework are."""

    def __init__(
        self, kernel: int, num_filters: int, num_colours: int, num_in_channels: int
    ) -> None:
        super().__init__()
        self.colours = num_colours
        self.bias = torch.nn.Parameter(torch.zeros(1, num_colours, 1, 1))

    def zeros(self, x: torch.Tensor) -> torch.Tensor:
        return (self.bias + torch.zeros(len(x), 1, *x.shape[2:], dtype=x.dtype)).to(x.dtype)


SCORES: dict[str, Callable[[NullNet, torch.Tensor], Any]] = {
    "nothing": lambda net, x: None,
    "zeros": lambda net, x: net.zeros(x),
    "ones": lambda net, x: net.zeros(x) + 1,
    "nan": lambda net, x: net.zeros(x) * np.nan,
    "empty": lambda net, x: x[:0],
    "a longer shape": lambda net, x: net.zeros(x)[None],
    "the input": lambda net, x: x,
    "a constant": lambda net, x: net.zeros(x) + 2,
    "a text": lambda net, x: "answer",
    "itself": lambda net, x: net,
}


@pytest.mark.parametrize("scores", SCORES)
def test_a_network_without_work_earns_nothing(hw: Homework, scores: str) -> None:
    class Net(NullNet):
        def forward(self, x: torch.Tensor) -> Any:
            return SCORES[scores](self, x)

    checks = [check.name for check in hw.scored if check.question in QUESTIONS]
    assert len(checks) >= 10
    for check in checks:
        assert hw.earning(check, dict.fromkeys(NETWORKS, Net)) == set(), check


# Known mistakes: words of the title of each

MISTAKES = [
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
ALTERNATIVES = [
    "the distance itself, with its root",
    "the square written out",
]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("mistakes", w) for w in MISTAKES] + [("alternatives", w) for w in ALTERNATIVES],
)
def test_a_known_answer_is_kept(hw: Homework, kind: str, words: str) -> None:
    banks = hw.compiled.oracle.banks.values()
    assert any(words in answer.title for bank in banks for answer in getattr(bank, kind))


def test_the_batches_of_a_hundred_of_the_old_starter_code_are_a_mistake(hw: Homework) -> None:
    hw.require_rejected("get_rgb_cat_matches_reference", "a hundred")


def _expanded(pictures: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    pixels = pictures.movedim(1, 3).reshape(-1, 3)
    squares = (pixels**2).sum(dim=1, keepdim=True) + (colours**2).sum(dim=1)
    distances = squares - 2 * (pixels @ colours.T)
    return distances.argmin(dim=1).reshape(len(pictures), 1, *pictures.shape[2:])


def _each_difference(pictures: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    pixels = pictures.movedim(1, 3).reshape(-1, 3)
    numbers = ((pixels[:, None] - colours) ** 2).sum(dim=2).argmin(dim=1)
    return numbers.reshape(len(pictures), 1, *pictures.shape[2:])


def test_all_differences_fail_by_their_memory_however_fast_the_machine_is(
    hw: Homework, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "_judge", lambda *_: None)
    monkeypatch.setattr(timing, "_are_enough", lambda *_: True)
    (mistake,) = hw.known_mistakes("nearest_colours_is_fast", "every difference")
    for values in (mistake.values, {"nearest_colours": _each_difference}):
        (result,) = hw.results("nearest_colours_is_fast", values).values()
        assert result.message is not None
        assert result.message.startswith("memory: "), result
    (result,) = hw.results("nearest_colours_is_fast", {"nearest_colours": _expanded}).values()
    assert result.verdict is Verdict.PASSED, result.message


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
def test_a_threshold_is_far_from_right_and_from_wrong_networks(hw: Homework, name: str) -> None:
    shares, threshold = np.array(SHARES[name]), hw.names["PASSING"]["scenes"][name]
    assert len(shares) >= 10
    # Without any assumption on the shape of the distribution (Cantelli's inequality); a check fails
    # a network only if all of its trainings fail.
    deviations = (shares.mean() - threshold) / shares.std(ddof=1)
    assert (1 / (1 + deviations**2)) ** hw.names["TRAININGS"] < 1e-3
    assert threshold > WORST_MISTAKE + 0.1


class Colourer:
    """A student or a reference whose trainings end as it is told."""

    def __init__(self, scores: float, shares: Sequence[float] = (), draws: bool = True) -> None:
        self.scores, self.shares, self.right = scores, list(shares), np.empty(0)
        self.draws, self.begun = draws, 0

    def apply(self, function, name, start, pictures, categories, unseen, colours, precise, device):
        assert device == "cpu"  # in a run without a GPU
        if not precise and len(pictures):
            where = np.arange(self.right.size).reshape(self.right.shape)
            hit = where < self.shares.pop(0) * self.right.size
            return {"numbers": np.where(hit, self.right, (self.right + 1) % colours)}
        self.begun += self.draws
        return {"start": [np.full(3, self.begun)], "scores": np.full(4, self.scores)}


def learn(hw: Homework, mine: Colourer, ours: Colourer) -> None:
    """Run the check of a training for two colourers, of which ours is told the right colours."""
    ours.right = hw.names["disguised_scenes"](np.random.default_rng(0), 450)[1][400:]
    hw.names["require_learning"](mine, ours, np.random.default_rng(0), "UNet")


def test_a_network_that_was_unlucky_is_trained_again(hw: Homework) -> None:
    ours = Colourer(1.0, [0.47, 0.49, 0.66])
    learn(hw, Colourer(1.0), ours)
    assert not ours.shares


def test_a_network_that_is_unlucky_three_times_has_not_learnt(hw: Homework) -> None:
    with pytest.raises(CheckFailure, match=r"48% .* in the last of 3 trainings"):
        learn(hw, Colourer(1.0), Colourer(1.0, [0.47, 0.49, 0.48]))


def test_a_network_that_begins_with_the_same_numbers_again_is_trained_once(hw: Homework) -> None:
    ours = Colourer(1.0, [0.47, 0.66])
    with pytest.raises(CheckFailure, match=r"47% .* in the last of 1 trainings"):
        learn(hw, Colourer(1.0, draws=False), ours)
    assert ours.shares == [0.66]


@pytest.mark.parametrize("breaks", [False, True])
def test_a_training_leaves_torch_s_switches_as_they_were(hw: Homework, breaks: bool) -> None:
    class Net(NullNet):
        def __init__(self, *sizes: int) -> None:
            super().__init__(*sizes)
            self.last = torch.nn.Conv2d(1, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if breaks and self.training:
                raise TimeoutError
            return self.last(x)

    grey, right = np.zeros((4, 1, 32, 32), np.float32), np.zeros((4, 32, 32), np.uint8)
    with pytest.raises(TimeoutError) if breaks else nullcontext():
        notebook = types.SimpleNamespace(UNet=Net)
        hw.names["train_colourer"](notebook, "UNet", None, grey, right, grey, 3, False, "cpu")
    assert torch.backends.mkldnn.is_available() == torch._C._get_mkldnn_enabled()
    assert float(torch.tensor(1e-39, dtype=torch.float32) * 1) > 0


def test_a_network_whose_scores_are_no_training_s_from_its_start_has_not_learnt(
    hw: Homework,
) -> None:
    with pytest.raises(CheckFailure, match="scores after 15 batches"):
        learn(hw, Colourer(1.01), Colourer(1.0, [0.9]))


@pytest.mark.parametrize("name", SHARES)
def test_the_table_of_shares_is_what_training_gives(hw: Homework, name: str) -> None:
    torch.manual_seed(10_000)
    grey, right = hw.names["disguised_scenes"](np.random.default_rng(0), 450)
    notebook = types.SimpleNamespace(**hw.names)
    got = hw.names["train_colourer"](
        notebook, name, None, grey[:400], right[:400], grey[400:], 8, False, "cpu"
    )["numbers"]
    # Rounding grows from step to step, and differs between machines.
    assert (got == right[400:]).mean() == pytest.approx(SHARES[name][0], abs=0.05)


def test_grading_trains_nothing_on_its_own(hw: Homework) -> None:
    assert hw.names["EPOCHS"] == 0


# Given code


def test_the_code_for_pictures_is_the_tested_one(hw: Homework) -> None:
    """Students are given make_scenes and its kin as they are tested, under reference/."""
    release = nbformat.reads(hw.compiled.release.decode(), as_version=4)
    given = "\n".join(cell.source for cell in release.cells if cell.cell_type == "code")
    tested = (COURSE.root / "reference" / "scenes.py").read_text(encoding="utf-8")
    handed_out = {ast.dump(node) for node in ast.parse(given).body}
    same = [node for node in ast.parse(tested).body if ast.dump(node) in handed_out]
    names = {name for node in same for name in bound_names(ast.unparse(node))}
    assert {"make_scenes", "kmeans_colours", "ArraysOnly", "load_cifar10"} <= names
    assert {"SKY", "MEADOW", "SUN", "POND", "WALL", "TREE", "HORSE"} <= names


def test_photographs_are_never_read_when_grading(
    hw: Homework, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLHW_CIFAR10", "/nowhere")
    monkeypatch.setenv(GRADING, "1")
    assert hw.names["load_pictures"](2, 1)[0] == "scenes"
    monkeypatch.delenv(GRADING)
    with pytest.raises(FileNotFoundError):
        hw.names["load_pictures"](2, 1)


def test_the_helpers_of_gpu_checks_agree_on_the_cpu(hw: Homework) -> None:
    """Without a GPU at hand, at least their code runs: with the CPU as the device."""
    session = InProcessSession(hw.names)
    one, other = Subject(session), Subject(ReferenceSession(hw.names))
    rng = np.random.default_rng(0)
    probe = hw.names["probe"]
    sizes = {"kernel": 3, "filters": 3, "colours": 4, "channels": 1}
    got, want = probe(one, other, rng, "UNet", sizes, 2, True, "cpu")
    hw.names["require_scores"](got, want)
    hw.names["require_gradients"](got, want)
    hw.names["compare_epochs"](one, other, rng, 7, 3, {"lr": 0.1}, True, "cpu")
