"""Sessions that use a GPU: what PyTorch would say of one is put in its place by the notebook."""

import os
import signal
import sys
import time
import types
from operator import attrgetter

import pytest
import torch

from autograder.authoring.subject import Subject
from autograder.errors import HarnessError, StudentError, StudentKilled
from autograder.sandbox.client import fork_server, shortage
from autograder.sandbox.client.fork_server import ForkServer, environment_of
from autograder.sandbox.client.gpu import has_room
from autograder.sandbox.client.overuse import CONTEXT_MB, GpuUse, Kills
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.inside import device, warm_process
from autograder.sandbox.inside.device import Device
from autograder.sandbox.isolation import box
from autograder.sandbox.isolation.canary import MIN_ESCAPES, attempt
from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.protocol.settings import Gpu
from tests.fake_gpu import BREAK, WOKEN, install

LIMITS = Limits(cell_seconds=5.0, call_seconds=5.0, gpu_memory_mb=2000)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return install(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="module")
def gpu_server(driver):
    """A fork server with torch, whose sessions see one card."""
    with ForkServer(LIMITS, ("numpy", "torch"), "cuda", gpu=driver.gpus[0]) as server:
        yield server


@pytest.fixture
def on_gpu(gpu_server):
    sessions = []

    def on_gpu(*cells, server=gpu_server):
        numbered = [CodeCell(*cell) for cell in enumerate(cells, 1)]
        sessions.append(NotebookSession(server, numbered, time.monotonic() + 60.0))
        return sessions[-1]

    yield on_gpu
    for session in sessions:
        session.close()


# What tells one run of a notebook from another, and how often a function was called in it.
COUNT = """
import secrets
mark, seen = secrets.token_hex(), []
def see():
    seen.append(1)
    return len(seen)
"""


def call(check, name):
    return getattr(Subject(check), name)()


def see(check):
    return call(check, "see")


def test_a_session_has_one_card_and_settings_that_make_it_reproducible(on_gpu, driver):
    session = on_gpu(
        "import os, torch\n"
        "said = {name: os.environ.get(name) for name in os.environ}\n"
        "backends = torch.backends\n"
        "switches = [torch.are_deterministic_algorithms_enabled(),"
        " torch.is_deterministic_algorithms_warn_only_enabled(), backends.cudnn.deterministic,"
        " backends.cudnn.benchmark, backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32]\n"
        "awake = torch.cuda.is_initialized()\n"
        "bounds = len(torch.cuda._queued_calls)"
    )
    with session.check() as check:
        said = check.get("said")
        assert said["CUDA_VISIBLE_DEVICES"] == driver.gpus[0].id
        assert said["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert said["PYTORCH_NVML_BASED_CUDA_CHECK"] == "1"
        assert check.get("switches") == [True, True, True, False, False, False]
        assert check.get("awake") is False
        assert check.get("bounds") >= 1
    assert not session.anew, "CUDA is asleep: the session can be forked"


def test_a_notebook_that_has_woken_cuda_is_not_forked_and_shares_its_session(on_gpu):
    session = on_gpu(WOKEN, COUNT)
    with session.check(shared=True) as check:
        mark = check.get("mark")
        assert (see(check), session.is_used) == (1, False)
    assert session.on_device
    with session.check(shared=True) as check:
        assert (check.get("mark"), see(check), session.is_used) == (mark, 2, True)
    with session.check() as check:
        assert check.get("mark") != mark, "the notebook was run again"
        assert (see(check), session.is_used) == (1, False)
    assert not session.is_open


def test_a_notebook_that_leaves_cuda_asleep_is_forked_and_its_forks_may_wake_it(on_gpu):
    session = on_gpu(f"def wake():\n    exec({WOKEN!r}, globals())\n    return 1", COUNT)
    for _ in range(2):
        with session.check(shared=True) as check:
            assert call(check, "wake") == 1
            assert see(check) == 1
            mark = check.get("mark")
    with session.check() as check:
        assert check.get("mark") == mark, "the notebook ran once"
    assert not session.on_device


def test_a_cell_that_breaks_the_device_is_left_out_from_there_on(on_gpu):
    session = on_gpu(
        "x = 1", f"y = 2\n{WOKEN}{BREAK}torch._C._cuda_synchronize = break_it\nlate = 3", "z = 3"
    )
    assert "illegal memory access" in session.runs[2].ended
    assert session.runs[3].ended is None
    with session.check() as check:
        assert (check.get("x"), check.get("y"), check.get("z")) == (1, 2, 3)


BREAKS = f"""{WOKEN}{BREAK}
def f():
    torch._C._cuda_synchronize = break_it
    return 5
def fine():
    return 6
"""


def test_a_call_that_breaks_the_device_is_killed_and_the_rest_runs_in_a_fresh_session(on_gpu):
    session = on_gpu(BREAKS)
    with session.check() as check, pytest.raises(StudentKilled, match="illegal memory access"):
        call(check, "f")
    with session.check() as check:
        assert call(check, "fine") == 6
    assert not session.starved


def test_an_error_that_leaves_the_device_usable_is_that_of_its_call_and_ends_nothing(on_gpu):
    once = (
        "times = []\ndef once(*_):\n    times.append(1)\n    if len(times) == 1:\n"
        "        raise RuntimeError('CUDA error: invalid argument')\n"
        "def f():\n    torch._C._cuda_synchronize = once\n    return 5"
    )
    session = on_gpu(WOKEN, once)
    with session.check() as check:
        with pytest.raises(StudentError, match="CUDA error: invalid argument"):
            call(check, "f")
        assert check.get("times") == [1, 1, 1]


@pytest.fixture
def card(driver):
    """Change what the driver says of the card; afterwards it says what it said before."""
    yield lambda **values: driver.set(card=0, **values)
    driver.set(card=0, used=3, lost=False)


ROOM = LIMITS.gpu_memory_mb + CONTEXT_MB  # MB that one session needs


@pytest.mark.parametrize(
    ("sessions", "free", "own", "starved"),
    [
        (1, 100, None, False),
        (2, ROOM, None, False),
        (2, ROOM - 1, None, True),
        (2, ROOM - 500, 500, False),  # it has taken that itself
        (2, ROOM - 501, 500, True),
    ],
)
def test_memory_of_a_gpu_that_is_used_up_is_doubted_only_where_others_have_it(
    on_gpu, gpu_server, monkeypatch, card, sessions, free, own, starved
):
    monkeypatch.setattr(gpu_server, "shares_gpu", sessions > 1)
    monkeypatch.setattr(shortage, "memory_on_gpu", lambda _: own and own * MB)
    card(used=40_000 - free)
    out = "raise torch.OutOfMemoryError('CUDA out of memory')"
    session = on_gpu(f"import torch\ndef f():\n    {out}")
    with session.check() as check, pytest.raises(StudentError, match="CUDA out of memory"):
        call(check, "f")
    assert session.starved is starved
    in_a_cell = on_gpu(f"import torch\n{out}")
    assert in_a_cell.starved is starved


def test_an_error_by_the_name_of_used_up_memory_is_no_second_draw(on_gpu, gpu_server, card, run):
    claim = "class OutOfMemoryError(Exception): pass\nraise OutOfMemoryError"
    assert gpu_server.shares_gpu
    assert not on_gpu(claim).starved
    card(lost=True)
    assert not on_gpu(claim).starved, "whether the device is lost is asked behind the submission"
    assert not run(claim).starved


def test_without_a_driver_s_program_no_error_tells_of_others():
    assert has_room(Gpu("GPU-1", "Fake", 1 << 20), LIMITS, 0)


def test_a_session_that_has_more_of_the_card_than_it_may_is_ended(on_gpu, gpu_server, driver):
    """Its code may have undone PyTorch's own bound: the driver's word counts."""
    session = on_gpu("x = 1\nimport time\ndef f():\n    time.sleep(60)")
    oldest = min(gpu_server.family(forks=False))  # the other one is in reserve
    with session.check(seconds=50.0) as check:
        driver.set(processes={str(oldest): 2000 + CONTEXT_MB + 1})
        with pytest.raises(StudentKilled, match=r"used more than 2000 MB of the GPU's memory"):
            call(check, "f")
    driver.set(processes={str(oldest): 10})
    with session.check() as check:
        assert check.get("x") == 1


def test_what_a_driver_tells_is_read_line_by_line(tmp_path):
    driver = install(tmp_path)
    driver.set(processes={"12": 34, "56": "[N/A]"})
    use, found = GpuUse(driver.gpus[0]), {}
    until = time.monotonic() + 20
    while not found and time.monotonic() < until:
        found = use._told()
        time.sleep(0.01)
    assert found == {12: 34}
    use._driver.kill()
    use._driver.wait()
    use._driver.stdout.close()
    without = GpuUse(Gpu("GPU-1", "Fake", 100))
    assert without._told() == {}


def test_kills_are_told_by_whose_memory_it_was():
    assert Kills(1, 1).since(Kills(1, 1), LIMITS) is None
    assert Kills(2, 1).since(Kills(1, 1), LIMITS) == "used more than 4096 MB of memory"
    assert Kills(2, 2).since(Kills(1, 1), LIMITS) == "used more than 2000 MB of the GPU's memory"


def test_no_escape_gets_out_where_sessions_may_use_a_gpu(gpu_server, tmp_path):
    """The filter lets every ioctl through, and the box has the driver's nodes."""
    private = tmp_path / "gradebook.db"
    private.write_text("points")
    tried, got_out = attempt(gpu_server, [private])
    assert got_out == {}
    assert tried >= MIN_ESCAPES


def test_nodes_are_those_of_one_card_and_its_driver():
    ours = Gpu("GPU-1", "Fake", 100, node="/dev/nvidia3")
    common = ["/dev/nvidiactl", "/dev/nvidia-uvm"]
    assert box.gpu_nodes(ours) == ["/dev/nvidia3", *common]
    assert box.gpu_nodes(None)[-2:] == common


def test_the_driver_s_library_is_found_where_only_the_environment_says(tmp_path, monkeypatch):
    (tmp_path / "libcuda.so.1").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{tmp_path}:")
    assert str(tmp_path) in box.driver_folders()
    assert "/nowhere" not in box.driver_folders()
    assert environment_of("cuda")["LD_LIBRARY_PATH"].split(":")[0] == str(tmp_path)
    assert str(tmp_path) in box.readable_paths((), gpu=True)
    assert "LD_LIBRARY_PATH" not in environment_of("cpu")
    assert environment_of("cpu")["CUDA_VISIBLE_DEVICES"] == ""


class FakeTorch(types.SimpleNamespace):
    """As much of PyTorch as is asked of it."""

    def __init__(self, awake=False):
        self.calls, self.fraction, self.awake = [], None, awake
        properties = types.SimpleNamespace(total_memory=8000 << 20)
        super().__init__(
            cuda=types.SimpleNamespace(
                is_initialized=lambda: self.awake,
                synchronize=lambda: None,
                _lazy_call=self.calls.append,
                get_device_properties=lambda _: properties,
                set_per_process_memory_fraction=lambda share: setattr(self, "fraction", share),
            )
        )


def test_pytorch_takes_no_more_than_its_share_once_it_wakes_the_card(monkeypatch):
    fake = FakeTorch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    device.use_no_more(LIMITS)
    assert fake.fraction is None
    (bound,) = fake.calls
    bound()
    assert fake.fraction == 0.25


def test_a_card_is_in_use_where_pytorch_says_so_or_a_node_is_open(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", FakeTorch())
    assert not Device().is_in_use()
    assert Device().what_broke() is None
    monkeypatch.setattr(device, "_open_files", lambda: ["/dev/nvidiactl", "/dev/nvidia0"])
    assert not Device().is_in_use(), "it has asked for tables, and a fork may too"
    monkeypatch.setattr(device, "_open_files", lambda: ["/dev/null", "/dev/nvidia-uvm"])
    assert Device().is_in_use()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "torch", FakeTorch(awake=True))
    assert Device().is_in_use()
    monkeypatch.delitem(sys.modules, "torch")
    assert not Device().is_in_use()


def test_nothing_that_is_preloaded_may_wake_a_card(monkeypatch):
    """The fork server says so, and is not used."""
    monkeypatch.setattr(Device, "is_in_use", lambda _: True)
    for part in ("make_shell", "import_all", "rehearse"):
        monkeypatch.setattr(warm_process, part, lambda *_: None)
    said = []
    monkeypatch.setattr(warm_process, "walls_of", lambda _: types.SimpleNamespace(settle=int))
    monkeypatch.setattr(warm_process, "_Start", lambda *_: None)
    monkeypatch.setattr(warm_process.kernel, "adopt_orphans", lambda: None)
    monkeypatch.setattr(warm_process, "_warm_up", lambda _: None)
    channel = types.SimpleNamespace(send=said.append)
    monkeypatch.setattr(warm_process, "Channel", lambda *_: channel)
    monkeypatch.setattr(warm_process.socket, "socket", lambda fileno: None)
    warm_process.main(0, None)
    (failed,) = said
    assert "has woken a GPU" in failed.reason


def test_a_session_that_the_driver_does_not_let_go_of_hangs_nobody(tmp_path, monkeypatch):
    """As one in uninterruptible sleep: here the fork server itself is stopped."""
    monkeypatch.setattr(fork_server, "DRIVER_SECONDS", 0.5)
    monkeypatch.setattr(fork_server, "CLOSE_SECONDS", 0.5)
    with ForkServer(Limits(), device="cuda") as stuck:
        session = NotebookSession(stuck, [CodeCell(1, "x = 1")], time.monotonic() + 30)
        (warm, *_) = children_of(stuck._process.pid)
        os.kill(warm, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(HarnessError, match="the fork server is gone"):
            session.close()
        stuck.close()
        assert time.monotonic() - began < 25


@pytest.mark.parametrize("allowed", [True, False])
def test_tf32_is_what_a_check_says(allowed):
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    try:
        device.allow_tf32(allowed)
        assert (matmul.allow_tf32, cudnn.allow_tf32) == (allowed, allowed)
    finally:
        device.allow_tf32(False)


NEWER = pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="this PyTorch has the older switch alone"
)


@NEWER
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("part", ["", "cuda.matmul", "cudnn", "cudnn.conv", "cudnn.rnn"])
def test_tf32_is_what_a_check_says_whatever_a_notebook_set_by_the_newer_name(allowed, part):
    backends = torch.backends
    (attrgetter(part)(backends) if part else backends).fp32_precision = (
        "ieee" if allowed else "tf32"
    )
    try:
        device.allow_tf32(allowed)
        parts = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
        assert {one.fp32_precision for one in parts} == {"tf32" if allowed else "ieee"}
        assert backends.mkldnn.matmul.fp32_precision == "ieee", "processors compute as ever"
        assert (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) == (allowed, allowed)
    finally:
        backends.cudnn.fp32_precision = "ieee"
        device.allow_tf32(False)


def test_tf32_of_one_part_is_set_where_another_is_broken_or_not_there(monkeypatch):
    class Broken:
        def __setattr__(self, name, value):
            raise RuntimeError("a mix of names")

    cudnn = types.SimpleNamespace(allow_tf32=True)
    backends = types.SimpleNamespace(cuda=types.SimpleNamespace(matmul=Broken()), cudnn=cudnn)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(backends=backends))
    device.allow_tf32(False)
    assert vars(cudnn) == {"allow_tf32": False}, "as in a PyTorch without the newer name"


def test_a_session_without_a_gpu_does_not_get_one_session_for_all_by_saying_that_it_has(run):
    claim = "from autograder.sandbox.inside.device import Device\nDevice.is_in_use = lambda _: 1"
    session = run(f"{claim}\n{COUNT}")
    marks = []
    for _ in range(2):
        with session.check(shared=True) as check:
            marks.append(check.get("mark"))
    assert not session.on_device
    assert len(set(marks)) == 2


SLEEPY = """
import time, torch
awake = []
def ones(*_, device):
    time.sleep(3.5)
    awake.append(device)
    raise RuntimeError("this is no GPU")
torch.ones = ones
"""


def test_the_time_that_a_card_takes_to_wake_is_charged_to_no_call(on_gpu):
    session = on_gpu(SLEEPY)
    with session.check(seconds=2.0) as check:
        check.seed(1)
        assert check.get("awake") == []
        check.wake = True
        check.seed(2)
        assert check.get("awake") == ["cuda"]
        assert check.seconds == 2.0
