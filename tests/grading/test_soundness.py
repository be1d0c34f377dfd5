"""The soundness of a GPU: what a session of ours may take for it, and what the grader has."""

import msgspec
import pytest
import torch

from autograder.errors import DeviceLost
from autograder.grading.soundness import require_sound
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.limits import Limits
from tests.fake_gpu import COMPUTES, install

LIMITS = Limits(cell_seconds=0.2, call_seconds=0.2)


@pytest.fixture
def driver(tmp_path):
    return install(tmp_path / "driver")


def test_the_trial_has_a_limit_of_its_own_whatever_a_course_gives_a_cell(driver):
    slow = f"import time\ntime.sleep(0.5)\n{COMPUTES}"
    card = msgspec.structs.replace(driver.gpus[0], trial=slow)
    with ForkServer(LIMITS, device="cuda", gpu=card) as fork_server:
        require_sound(fork_server, LIMITS, tried=True)


class Server:
    """As much of a fork server as is asked where nothing is tried."""

    def __init__(self, gpu):
        self.gpu = gpu


@pytest.mark.parametrize("awake", [True, False])
def test_what_the_grader_keeps_for_later_is_given_back_first(driver, monkeypatch, awake):
    monkeypatch.setattr("autograder.sandbox.client.gpu.FREE_SECONDS", 0.0)
    card = driver.gpus[0]
    driver.set(card=0, used=39_000)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: awake)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: driver.set(card=0, used=3))
    if awake:
        require_sound(Server(card), LIMITS, tried=False)
    else:
        with pytest.raises(DeviceLost, match="only 1000 MB of its memory are free"):
            require_sound(Server(card), LIMITS, tried=False)


def test_a_cache_that_a_lost_device_holds_hides_nothing(driver, monkeypatch):
    def fails():
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", fails)
    require_sound(Server(driver.gpus[0]), LIMITS, tried=False)
    driver.set(card=0, lost=True)
    with pytest.raises(DeviceLost, match="is lost"):
        require_sound(Server(driver.gpus[0]), LIMITS, tried=False)
