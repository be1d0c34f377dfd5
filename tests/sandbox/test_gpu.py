"""GPUs as their driver tells of them: which there are, what is free, and that one is lost."""

import sys

import pytest

from autograder.errors import DeviceLost, UsageError
from autograder.sandbox.client import gpu
from autograder.sandbox.client.gpu import (
    device_here,
    environment_on,
    gpus_for,
    gpus_here,
    require_free,
    sessions_on,
    torch_can_use_gpus,
)
from autograder.sandbox.client.overuse import CONTEXT_MB
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import TRIAL, Gpu
from tests.fake_gpu import COMPUTES, built_with_cuda, fake_driver, install

__all__ = ["built_with_cuda", "fake_driver"]

LIMITS = Limits(gpu_memory_mb=1000, gpu_sessions=4)
EACH_MB = 1000 + 2 * CONTEXT_MB


@pytest.fixture
def three(tmp_path, monkeypatch):
    """Three cards, which this process finds."""
    driver = install(tmp_path / "three", cards=3)
    monkeypatch.setenv("PATH", str(driver.folder), prepend=":")
    monkeypatch.delenv(gpu.VISIBLE, raising=False)
    return driver


def test_a_driver_tells_of_its_cards(fake_driver, built_with_cuda):
    (card,) = gpus_here()
    assert card == Gpu("GPU-00000000", "Fake", 40_000, 3, "", fake_driver.program, COMPUTES)
    assert card.called == "Fake (GPU-00000000)"
    assert (gpus_for("cuda"), gpus_for("cpu"), device_here()) == ((card,), (), "cuda")


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("1", [1]),
        ("2,0", [2, 0]),
        ("GPU-00000002", [2]),
        (" GPU-00000001 ,0", [1, 0]),
        ("7", []),
    ],
)
def test_a_run_uses_the_cards_that_whoever_started_it_lets_it_use(
    three, monkeypatch, visible, numbers
):
    if visible is not None:
        monkeypatch.setenv(gpu.VISIBLE, visible)
    assert [one.id for one in gpus_here()] == [f"GPU-{number:08d}" for number in numbers]


def test_a_driver_that_says_that_a_card_is_lost_is_believed(fake_driver, built_with_cuda):
    (card,) = gpus_here()
    fake_driver.set(0, lost=True)
    for ask in (gpus_here, lambda: require_free(card, LIMITS), lambda: gpus_for("cuda")):
        with pytest.raises(DeviceLost, match="GPU-00000000 is lost"):
            ask()


def test_a_driver_that_does_not_answer_is_not_waited_for(fake_driver, monkeypatch):
    (card,) = gpus_here()
    monkeypatch.setattr(gpu, "DRIVER_SECONDS", 0.3)
    fake_driver.set(seconds=60)
    with pytest.raises(DeviceLost, match=r"Fake \(GPU-00000000\) .* did not answer in 0.3 s"):
        require_free(card, LIMITS)


def test_a_program_of_the_driver_s_without_a_card_is_no_gpu(three, built_with_cuda, monkeypatch):
    """As in a container's image that is run where there is none."""
    for number in range(3):
        three.set(number, lost=True)
    monkeypatch.setattr(gpu.Path, "glob", lambda *_: iter(()))
    assert device_here() == "cpu"


def test_memory_that_is_not_free_again_is_a_lost_card(fake_driver, monkeypatch):
    (card,) = gpus_here()
    monkeypatch.setattr(gpu, "FREE_SECONDS", 0.1)
    needed = 1000 + CONTEXT_MB - gpu.SLACK_MB
    fake_driver.set(0, used=40_000 - needed)
    require_free(card, LIMITS)
    fake_driver.set(0, used=40_000 - needed + 1)
    with pytest.raises(DeviceLost, match=f"only {needed - 1} MB .* a session needs {needed}"):
        require_free(card, LIMITS)


def test_a_card_that_is_smaller_than_what_a_session_may_have_is_no_lost_one(fake_driver):
    fake_driver.set(0, total=1800, used=100)
    (card,) = gpus_here()
    fake_driver.set(0, used=1500)
    require_free(card, LIMITS)


def test_memory_that_is_free_a_moment_later_is_waited_for(fake_driver, monkeypatch):
    (card,) = gpus_here()
    fake_driver.set(0, used=39_900)
    monkeypatch.setattr(gpu.time, "sleep", lambda _: fake_driver.set(0, used=3))
    require_free(card, LIMITS)


@pytest.mark.parametrize(
    ("memory", "used", "count"),
    [
        (40_000, 0, 4),
        (4 * (1000 + 2 * CONTEXT_MB), 0, 4),
        (7000, 0, 2),
        (7000, 2000, 1),
        (500, 0, 1),
    ],
)
def test_as_many_sessions_share_a_card_as_it_has_memory_for(memory, used, count):
    assert sessions_on(Gpu("GPU-1", "Fake", memory, used), LIMITS) == count


def test_a_card_of_which_only_the_kernel_tells(monkeypatch, tmp_path):
    folder = tmp_path / "0000:01:00.0"
    folder.mkdir()
    (folder / "information").write_text(
        "Model: \t\t NVIDIA A\nGPU UUID: \t GPU-5e\nDevice Minor: \t 3\n"
    )
    monkeypatch.setattr(gpu, "PROC", tmp_path)
    monkeypatch.setattr(gpu.shutil, "which", lambda _: None)
    monkeypatch.delenv(gpu.VISIBLE, raising=False)
    (card,) = gpus_here()
    assert (card.id, card.name, card.node, card.smi) == ("GPU-5e", "NVIDIA A", "/dev/nvidia3", "")
    assert card.trial == TRIAL
    require_free(card, LIMITS)  # nobody can be asked


def test_without_a_card_or_a_pytorch_for_it_no_run_is_begun(monkeypatch, fake_driver):
    monkeypatch.setattr(gpu, "torch_can_use_gpus", lambda: False)
    with pytest.raises(UsageError, match="built for processors alone"):
        gpus_for("cuda")
    assert device_here() == "cpu"
    monkeypatch.setattr(gpu, "gpus_here", lambda: ())
    with pytest.raises(UsageError, match="this machine has no GPU"):
        gpus_for("cuda")


def test_whether_pytorch_is_built_for_gpus_is_read_and_not_imported(monkeypatch, tmp_path):
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    for text, built in (
        ("cuda: Optional[str] = '13.0'\n", True),
        ("__version__ = '2.2'\ncuda = '12.1'\n", True),
        ("cuda: Optional[str] = None\n", False),
    ):
        (package / "version.py").write_text(text)
        assert torch_can_use_gpus() is built
    (package / "version.py").unlink()
    assert not torch_can_use_gpus()


def test_a_session_sees_one_card():
    assert environment_on(Gpu("GPU-1", "Fake", 1))[gpu.VISIBLE] == "GPU-1"
    assert gpu.VISIBLE not in environment_on(None)
