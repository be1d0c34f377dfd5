"""The driver, with a cluster whose workers say what a test wants; tests/engines/test_cluster.py has
one of processes.
"""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Status, now
from autograder.cluster import Cluster, Slurm
from autograder.engines import dask as engine
from autograder.engines import dask_standing, dask_worker, dask_workers
from autograder.engines.dask_cluster import (
    CALM,
    address_of,
    connected,
    is_loopback,
    require_encryption,
    slurm_cluster,
)
from autograder.engines.dask_worker import Batch, Facts
from autograder.engines.feed import Feed
from autograder.engines.orders import LostGpu, Order, Outcome, Setup, Warm, decode, encode
from autograder.engines.work import Job, Work
from autograder.errors import DeviceLost, HarnessError, UnsafeHere, UsageError
from autograder.grading.scoring import result_of
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Isolation
from autograder.secret import DEMO_SECRET
from tests.each import require_each

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")

SECRET = b"the secret of the course"
ADDRESS = "tls://10.0.0.1:{}"


class Future:
    def __init__(self, answer, status="finished"):
        self.status, self._answer = status, answer
        self.callback = None

    def add_done_callback(self, callback):
        self.callback = callback
        if self.status != "pending":
            callback(self)

    def result(self, timeout):
        return self._answer()

    def cancel(self):
        self.status = "cancelled"

    def release(self):
        pass


class Fake:
    """A client of a cluster; ``outcome`` says what becomes of an order."""

    def __init__(self, bundle, outcome=None):
        self.bundle, self.status = bundle, "running"
        self.workers = {ADDRESS.format(n): {"nthreads": 1, "resources": {}} for n in (1, 2)}
        self.outcome = outcome or self.graded
        self.facts, self.warm = {}, {}
        self.sent, self.in_flight, self.most = [], 0, 0
        self.asked, self.options = [], []
        self.connections = 0

    def __call__(self, patience=0.0):
        self.connections += 1
        self.status = "running"
        return self

    def scheduler_info(self):
        return {"workers": dict(self.workers)}

    def run(self, function, *arguments, workers, on_error):
        assert self.status == "running"
        self.asked += [(function.__name__, worker) for worker in workers]
        return {worker: self._said(function.__name__, worker, arguments) for worker in workers}

    def _said(self, name, worker, arguments):
        if name == "look":
            versions = dask_worker.own_versions() | self.facts.get(worker, {})
            return encode(Facts(worker, versions, False))
        if name == "warm_up":
            return encode(self.warm.get(worker, Warm(Isolation.NAMESPACES)))
        if name == "receive_setup":
            assert decode(arguments[0], Setup).secret == SECRET
        return True

    def submit(self, function, name, orders, alone, *, workers, **options):
        assert SECRET not in repr((name, orders, options)).encode(), "Dask may log it"
        self.options.append(options | {"workers": workers, "alone": alone})
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        found = [decode(order, Order) for order in orders]
        self.sent.append(found)
        return self.future(found, workers)

    def future(self, orders, workers):
        return Future(lambda: self.answer(orders))

    def answer(self, orders):
        self.in_flight -= 1
        outcomes = [self.outcome(order) for order in orders]
        return encode(Batch(None if None in outcomes else outcomes))

    def graded(self, order, starved=False):
        result = result_of(self.bundle, order.student, order.data, (), (), "cpu", now)
        return Outcome(result, starved, 0.5)

    def close(self, timeout=0):
        self.status = "closed"

    def tries(self, student):
        """Return of each time that a submission was sent, its gradings and who else was sent."""
        return [
            (order.gradings, len(orders))
            for orders in self.sent
            for order in orders
            if order.student == student
        ]


@pytest.fixture
def fake(bundle_path, monkeypatch):
    client = Fake(read_bundle(bundle_path))
    for name in ("LOOK_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(engine, name, 0.01)
    for name in ("ASKED_SECONDS", "AGAIN_SECONDS"):
        monkeypatch.setattr(dask_workers, name, 0.01)
    monkeypatch.setattr(engine, "FIRST_SECONDS", 0.05)

    @contextmanager
    def connected(cluster, secret):
        yield client

    monkeypatch.setattr(engine, "connected", connected)
    return client


@pytest.fixture
def grade(fake, bundle_path, tmp_path):
    """Return a function that grades so many submissions, and returns results by student."""

    def grade(count, device="cpu", patience=10.0, unreadable=()):
        jobs = []
        for student in [f"s{n}" for n in range(count)]:
            path = tmp_path / "submitted" / student / "tiny" / "tiny.ipynb"
            if student not in unreadable:
                path.parent.mkdir(parents=True)
                path.write_bytes(student.encode())
            jobs.append(Job(student, path))
        cluster = Cluster(patience_minutes=patience)
        work = Work(bundle_path, SECRET, Limits(), device, cluster=cluster)
        found = [(one.student, one.result) for one in engine.grade_all(work, jobs, 1)]
        assert len(found) == len(dict(found)), "each is yielded once"
        return dict(found)

    return grade


def test_all_are_graded_and_never_more_than_two_batches_for_each_slot_are_on_their_way(fake, grade):
    assert len(grade(50)) == 50
    assert fake.most == 4  # two workers of one slot
    assert max(len(orders) for orders in fake.sent) == 4  # two seconds, at half a second each
    assert fake.status == "closed"


def test_what_cannot_be_read_is_sent_to_nobody(fake, grade):
    found = grade(3, unreadable=["s1"])
    assert fake.tries("s1") == []
    assert found["s1"].status is Status.NEEDS_ATTENTION
    assert found["s1"].notes == ("there is no tiny.ipynb in the submission",)


def test_nothing_to_grade_asks_no_cluster(fake, grade):
    assert grade(0) == {}
    assert fake.connections == 0


def test_a_fault_is_tried_again_alone_three_times_and_is_then_for_staff_never_a_zero(fake, grade):
    def outcome(order):
        return Outcome(fault="it broke") if order.student == "s7" else fake.graded(order)

    fake.outcome = outcome
    found = grade(20)
    assert len(found) == 20
    tries = fake.tries("s7")
    assert [gradings for gradings, _ in tries] == [0, 1, 2, 3]  # each has inputs of its own
    assert [size for _, size in tries[1:]] == [1, 1, 1]
    alone = [
        orders[0].student for orders, o in zip(fake.sent, fake.options, strict=True) if o["alone"]
    ]
    assert alone == ["s7"] * 3
    assert found["s7"].status is Status.NEEDS_ATTENTION
    assert found["s7"].fault == "graded alone 3 times, and each time: it broke"
    assert all(fake.tries(f"s{n}")[0][0] == 0 for n in range(20))


def test_a_fault_that_passes_costs_nothing(fake, grade):
    def outcome(order):
        return Outcome(fault="it broke") if order.gradings < 2 else fake.graded(order)

    fake.outcome = outcome
    assert all(result.fault is None for result in grade(3).values())


def test_a_batch_whose_workers_died_is_tried_again_one_by_one(fake, grade):
    def answer(orders):
        if len(orders) > 1:
            raise RuntimeError("KilledWorker")
        return Fake.answer(fake, orders)

    fake.answer = answer
    assert len(grade(30)) == 30


def test_what_was_starved_is_graded_again_alone_behind_all_others(fake, grade):
    fake.outcome = lambda order: fake.graded(order, order.student in ("s0", "s1"))
    assert len(grade(12)) == 12
    last = [[(order.student, order.gradings) for order in orders] for orders in fake.sent[-2:]]
    assert sorted(last) == [[("s0", 1)], [("s1", 1)]]


def test_what_is_graded_alone_is_sent_once_at_a_time_for_each_machine(fake, grade):
    """Each keeps a worker for itself, which does nothing else meanwhile."""
    fake.facts = {}
    host = fake._said
    fake._said = lambda name, worker, arguments: (
        encode(Facts("the only host", dask_worker.own_versions(), False))
        if name == "look"
        else host(name, worker, arguments)
    )
    held, most = [], []

    def future(orders, workers):
        if not fake.options[-1]["alone"]:
            return Future(lambda: fake.answer(orders))
        held.append(orders)
        most.append(len(held))

        def answer():
            held.remove(orders)
            return fake.answer(orders)

        return Future(answer)

    fake.future = future
    fake.outcome = lambda order: fake.graded(order, starved=not order.gradings)
    assert len(grade(8)) == 8
    assert most == [1] * 8


def test_a_worker_whose_answer_cannot_be_read_is_asked_once_and_left_out(fake, grade, logged):
    said, asked = fake._said, []

    def garbled(name, worker, arguments):
        if worker == ADDRESS.format(1) and name == "look":
            asked.append(worker)
            return b"no facts"
        return said(name, worker, arguments)

    fake._said = garbled
    assert len(grade(20)) == 20
    assert len(asked) == 1
    (line,) = logged
    assert f"{ADDRESS.format(1)}: a message between our own processes cannot be read" in line


def test_a_worker_that_does_not_run_what_is_ours_is_asked_once_and_left_out(fake, grade, logged):
    said, asked = fake._said, []

    def raising(name, worker, arguments):
        if worker == ADDRESS.format(1) and name == "warm_up":
            asked.append(worker)
            return AttributeError("there is no warm_up")
        return said(name, worker, arguments)

    fake._said = raising
    assert len(grade(20)) == 20
    assert len(asked) == 1
    assert any("cannot run autograder (there is no warm_up)" in line for line in logged)


def test_workers_that_cannot_start_for_a_moment_are_waited_for(fake, grade, logged):
    said, slow = fake._said, dict.fromkeys(fake.workers, 2)

    def slowly(name, worker, arguments):
        if name == "warm_up" and slow[worker]:
            slow[worker] -= 1
            return encode(Warm(refused="the fork server did not come up in 30 s"))
        return said(name, worker, arguments)

    fake._said = slowly
    assert len(grade(3)) == 3
    # On a busy machine one of both comes first, and the other is told of as left out.
    (line,) = [text for text in logged if not text.startswith("workers are left out:")]
    assert "no worker can grade yet; they are asked again for 10 minutes:" in line


def test_workers_that_cannot_start_for_too_long_are_a_fault_that_may_pass(fake, grade):
    fake.warm = dict.fromkeys(fake.workers, Warm(refused="the fork server did not come up"))
    with pytest.raises(HarnessError, match=r"(?s)no worker could grade in 0 s.*did not come up"):
        grade(1, patience=0.001)


def test_a_worker_whose_walls_do_not_hold_any_more_is_left_out_and_that_is_no_try(fake, grade):
    turns = []

    def future(orders, workers):
        worker = sorted(workers)[len(turns) % len(workers)]
        turns.append(worker)
        if worker == ADDRESS.format(1):
            outcomes = [Outcome(fault="an escape got out", unsafe=True) for _ in orders]
            return Future(lambda: encode(Batch(outcomes, worker)))
        return Future(lambda: fake.answer(orders))

    fake.future = future
    found = grade(9)
    assert len(found) == 9
    assert all(one.fault is None for one in found.values())
    assert {gradings for student in found for gradings, _ in fake.tries(student)} == {0}


def test_results_that_do_not_come_are_asked_for_again_and_none_is_lost_or_taken_twice(
    fake, grade, monkeypatch
):
    """Dask has another worker do it again; meanwhile the driver looks which workers there are."""
    monkeypatch.setattr(engine, "RESULT_SECONDS", 0.0)
    stuck, looks, asked = {}, [], []
    info = fake.scheduler_info
    fake.scheduler_info = lambda: looks.append(len(asked)) or info()

    def future(orders, workers):
        name = orders[0].student
        stuck.setdefault(name, 3 if name in ("s0", "s1", "s2") else 0)

        def answer():
            asked.append(name)
            if stuck[name]:
                stuck[name] -= 1
                raise TimeoutError
            return fake.answer(orders)

        return Future(answer)

    fake.future = future
    monkeypatch.setattr(engine, "LOOK_SECONDS", 0.0)
    assert len(grade(6)) == 6
    assert {name: asked.count(name) for name in ("s0", "s1", "s2")} == dict.fromkeys(
        ("s0", "s1", "s2"), 4
    )
    assert all(len(fake.tries(f"s{n}")) == 1 for n in range(6))
    assert len(set(looks)) > 3, "it looks at workers between two tries"


def test_a_batch_that_is_anothers_is_tried_again(fake, grade):
    def answer(orders):
        if orders[0].student == "s0" and not orders[0].gradings:
            fake.in_flight -= 1
            return encode(Batch([]))
        return Fake.answer(fake, orders)

    fake.answer = answer
    found = grade(5)
    assert len(found) == 5
    assert fake.tries("s0")[0][0] == 0
    assert found["s0"].fault is None


def test_a_worker_that_has_lost_its_setup_gets_it_again(fake, grade):
    lost = ["s3"]

    def outcome(order):
        return None if order.student in lost and not lost.clear() else fake.graded(order)

    fake.outcome = outcome
    assert len(grade(10)) == 10
    asked = [worker for name, worker in fake.asked if name == "receive_setup"]
    assert len(asked) > len(set(asked))


def test_a_scheduler_that_is_gone_is_waited_for_and_all_that_was_lost_is_sent_again(fake, grade):
    ordinary, broken = fake.future, []

    def future(orders, workers):
        if len(fake.sent) == 6 and not broken:
            broken.append(True)
            fake.status = "connecting"
            return Future(None, "cancelled")
        return ordinary(orders, workers)

    fake.future = future
    assert len(grade(30)) == 30
    assert fake.connections == 2


def test_what_a_worker_had_that_is_gone_is_sent_to_another(fake, grade):
    gone, ordinary = ADDRESS.format(1), fake.future
    del fake.workers[ADDRESS.format(2)]

    def future(orders, workers):
        if gone in workers:
            fake.workers.pop(gone, None)
            fake.workers[ADDRESS.format(3)] = {"nthreads": 1, "resources": {}}
            return Future(None, "pending")
        return ordinary(orders, workers)

    fake.future = future
    assert len(grade(3)) == 3
    assert fake.options[-1]["workers"] == [ADDRESS.format(3)]


def test_a_cluster_whose_workers_do_not_come_back_is_given_up(fake, grade):
    def future(orders, workers):
        fake.workers.clear()
        return Future(None, "pending")

    fake.future = future
    with pytest.raises(HarnessError, match="the cluster has had no worker for"):
        grade(3, patience=0.001)


def test_a_cluster_without_a_worker_is_said_to_be_so(fake, grade):
    fake.workers.clear()
    with pytest.raises(HarnessError, match="no worker came to the scheduler"):
        grade(1)


def test_a_run_on_gpus_is_refused_where_no_worker_has_one(fake, grade):
    with pytest.raises(UnsafeHere, match="has no GPU; a worker with one is started with"):
        grade(1, "cuda")
    assert fake.sent == []


def test_of_workers_with_and_without_a_gpu_the_first_are_taken_and_get_one_at_a_time(fake, grade):
    fake.workers[gpu := ADDRESS.format(9)] = {"nthreads": 4, "resources": {"GPU": 1.0}}
    assert len(grade(9, "cuda")) == 9
    assert {len(orders) for orders in fake.sent} == {1}
    assert fake.most == 2  # of one GPU
    assert all(o["resources"] == {"GPU": 1} and o["workers"] == [gpu] for o in fake.options)


def test_a_worker_that_cannot_grade_is_left_out_and_what_it_lacks_is_said(fake, grade, logged):
    fake.facts[ADDRESS.format(1)] = {"torch": "1.0", "python": "3.9"}
    fake.workers["tcp://10.0.0.7:1"] = {"nthreads": 1, "resources": {}}
    assert len(grade(5)) == 5
    assert {worker for o in fake.options for worker in o["workers"]} == {ADDRESS.format(2)}
    (said,) = logged
    assert "python 3.9, here" in said
    assert "torch 1.0, here" in said
    assert "tcp://10.0.0.7:1: is on another machine and speaks without encryption" in said
    told = {worker for name, worker in fake.asked if name in ("receive_setup", "receive_bundle")}
    assert told == {ADDRESS.format(2)}, "neither secret nor bundle go to those that are left out"


def test_a_worker_that_does_not_answer_keeps_nobody_waiting(fake, grade, monkeypatch):
    monkeypatch.setattr(dask_workers, "OTHERS_SECONDS", 0.02)
    said, over = fake._said, threading.Event()

    def hanging(name, worker, arguments):
        if worker == ADDRESS.format(1):
            over.wait(60)
        return said(name, worker, arguments)

    fake._said = hanging
    try:
        assert len(grade(20)) == 20
    finally:
        over.set()
    assert {worker for o in fake.options for worker in o["workers"]} == {ADDRESS.format(2)}


def test_a_cluster_in_which_no_walls_hold_is_refused(fake, grade):
    why = "a student's code cannot be held safely on this machine"
    fake.warm = dict.fromkeys(fake.workers, Warm(refused=why, unsafe=True))
    with pytest.raises(UnsafeHere, match=f"(?s)the cluster cannot grade this:.*{why}"):
        grade(2)
    assert fake.sent == []


def test_encryption_is_required_beyond_this_machine_and_a_secret_never_goes_without():
    plain, own = "tcp://10.0.0.1:8786", b"a secret of one's own"
    require_encryption("tls://10.0.0.1:8786", Cluster(), own)
    require_encryption("tcp://127.0.0.1:8786", Cluster(), DEMO_SECRET)
    with pytest.raises(UnsafeHere, match="whoever has an account on this machine"):
        require_encryption("tcp://127.0.0.1:8786", Cluster(), own)
    require_encryption(plain, Cluster(insecure=True), DEMO_SECRET)
    with pytest.raises(UnsafeHere, match="speaks without encryption"):
        require_encryption(plain, Cluster(), DEMO_SECRET)
    with pytest.raises(UnsafeHere, match="--insecure is for trials with the demo secret"):
        require_encryption(plain, Cluster(insecure=True), own)


def test_loopback_is_what_no_other_machine_reaches():
    def is_so(address, loopback):
        assert is_loopback(address) is loopback

    cases = (
        ("tcp://127.0.0.1:1", True),
        ("tcp://127.8.9.1:1", True),
        ("tcp://[::1]:1", True),
        ("tcp://localhost:1", True),
        ("tcp://0.0.0.0:1", False),
        ("tcp://10.0.0.1:1", False),
        ("tcp://localhost.example.edu:1", False),
    )
    require_each(cases, is_so)


def test_the_scheduler_is_the_courses_or_that_of_dasks_own_configuration():
    import dask

    with dask.config.set({"scheduler-address": "tls://there:8786"}):
        assert address_of(Cluster()) == "tls://there:8786"
        assert address_of(Cluster("tls://here:8786")) == "tls://here:8786"
    with pytest.raises(UsageError, match="where is the scheduler"):
        address_of(Cluster())
    with pytest.raises(UsageError, match="must be like tls://HOST:8786, got 'here'"):
        address_of(Cluster("here"))


def test_a_certificate_that_is_not_there_is_said(tmp_path):
    cluster = Cluster("tls://127.0.0.1:1", tls_ca=str(tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match=r"there is no file .*ca\.pem"), connected(cluster, SECRET):
        raise AssertionError


def test_the_script_of_a_slurm_job_starts_a_worker_that_speaks_tls(tmp_path):
    pytest.importorskip("dask_jobqueue", reason="the extra [slurm] is not installed")
    asked = Slurm(3, 8, "32GB", "01:30:00", 1, "gpu", "deep", directives=("--exclusive",),
                  prologue=("module load python",), shared_folder=str(tmp_path))  # fmt: skip
    with slurm_cluster(Cluster(), replace(asked, interface="lo")) as cluster:
        script = cluster.job_script()
        assert cluster.scheduler_address.startswith("tls://")
    lines = script.splitlines()
    for line in (
        *("#SBATCH -p gpu", "#SBATCH -A deep", "#SBATCH --cpus-per-task=8", "#SBATCH --mem=30G"),
        *("#SBATCH -t 01:30:00", "#SBATCH --gres=gpu:1", "#SBATCH --exclusive"),
        "module load python",
    ):
        assert line in lines, script
    for option in ("--nthreads 8", "--resources GPU=1", "--protocol tls", "--tls-key", "tls://"):
        assert option in lines[-1], script
    assert {f"export {name}={value}" for name, value in CALM.items()} <= set(lines)
    kept = [path for path in tmp_path.iterdir() if path.stat().st_mode & 0o077]
    assert kept == [], "nobody else may read a key"


CARD = {"nthreads": 1, "resources": {"GPU": 1.0}}


@pytest.fixture
def cards(fake):
    """A cluster of workers with a card each; of those in ``lost`` it is, by their address."""
    fake.workers = {ADDRESS.format(n): dict(CARD) for n in (1, 2)}
    lost, turns = {}, []

    def future(orders, workers):
        worker = sorted(workers)[len(turns) % len(workers)]
        turns.append(worker)

        def answer():
            fake.in_flight -= 1
            (order,) = orders
            outcome = lost[worker](order) if worker in lost else None
            return encode(Batch([outcome or fake.outcome(order)], worker))

        return Future(answer)

    fake.future, fake.turns = future, turns
    return lost


def gone(order=None, during=False):
    return Outcome(lost=LostGpu("GPU-7", "it fell off the bus", during))


def test_a_worker_whose_card_is_lost_is_used_no_more_and_that_is_no_try(fake, grade, cards, logged):
    cards[ADDRESS.format(1)] = gone
    found = grade(12, "cuda")
    assert len(found) == 12
    assert all(one.fault is None for one in found.values())
    assert {gradings for s in found for gradings, _ in fake.tries(s)} == {0}
    assert fake.turns.count(ADDRESS.format(1)) <= 2, "no more than what was on its way"
    (said,) = logged
    assert f"{ADDRESS.format(1)}: GPU-7 cannot be used: it fell off the bus" in said


def test_where_no_card_is_left_the_run_says_so_and_nothing_is_scored(fake, grade, cards):
    cards.update(dict.fromkeys(fake.workers, gone))
    with pytest.raises(DeviceLost, match=r"GPU-7 cannot be used: it fell.*; 3 of the submissions"):
        grade(3, "cuda")


def test_a_submission_with_which_two_cards_are_lost_is_for_staff_and_stops_no_other(
    fake, grade, cards
):
    """Each card comes back, as it does when a kernel of the submission's was all that was wrong."""

    def with_s0(order):
        return gone(during=True) if order.student == "s0" else None

    cards.update(dict.fromkeys(fake.workers, with_s0))
    found = grade(6, "cuda")
    assert len(found) == 6
    assert found["s0"].fault == "a GPU was lost with it 2 times"
    assert [student for student, one in found.items() if one.fault] == ["s0"]
    assert [gradings for gradings, _ in fake.tries("s0")] == [0, 1], "with inputs of its own"


def test_one_card_that_comes_back_is_asked_for_and_used_again(fake, grade, cards):
    del fake.workers[ADDRESS.format(2)]
    broken = []

    def once(order):
        return None if broken or broken.append(order.student) else gone(during=True)

    cards[ADDRESS.format(1)] = once
    found = grade(4, "cuda")
    assert len(found) == 4
    assert all(one.fault is None for one in found.values())
    assert [order.student for orders in fake.sent for order in orders][-1] == "s0"


def test_one_card_that_does_not_come_back_ends_the_run_with_a_name(fake, grade, cards):
    del fake.workers[ADDRESS.format(2)]

    def with_s0(order):
        fake.warm[ADDRESS.format(1)] = Warm(refused="lost", lost=LostGpu("GPU-7", "lost"))
        return gone(during=True)

    cards[ADDRESS.format(1)] = with_s0
    with pytest.raises(DeviceLost, match="lost while s0 was graded; 1 of the submissions wait"):
        grade(1, "cuda")


@pytest.fixture
def standing(fake, bundle_path, tmp_path, monkeypatch):
    """An engine that stays up, and a function that makes work and jobs for it."""
    connections = []

    @contextmanager
    def connected(cluster, secret):
        connections.append("connected")
        yield fake
        connections.append("over")

    monkeypatch.setattr(dask_standing, "connected", connected)
    fake.closed = connections

    def job(student):
        path = tmp_path / f"{student}.ipynb"
        path.write_bytes(student.encode())
        return Job(student, path)

    work = Work(bundle_path, SECRET, Limits(), "cpu", cluster=Cluster(patience_minutes=10))
    return dask_standing.StandingCluster(), work, job, connections


def test_what_comes_while_others_are_graded_is_sent_by_the_same_connection(fake, standing):
    engine_, work, job, connections = standing
    feed = Feed([job("a")])
    run = engine_(work, feed, 1)
    assert next(run).student == "a"
    feed.put([job("b"), job("c")])
    assert {next(run).student, next(run).student} == {"b", "c"}
    assert [one.student for one in engine_(work, [job("d")], 1)] == ["d"]
    assert connections == ["connected"], "a run that overlaps has the same jobs of Slurm"
    feed.close()
    assert list(run) == []
    assert connections == ["connected", "over"]


def test_a_run_that_is_stopped_leaves_the_cluster_and_tells_it_to_forget_the_secret(fake, standing):
    engine_, work, job, connections = standing
    feed = Feed([job("a"), job("b")])

    def future(orders, workers):
        if orders[0].student == "b":
            feed.stop()
            return Future(None, "pending")
        return Future(lambda: fake.answer(orders))

    fake.future = future
    assert [one.student for one in engine_(work, feed, 1)] in ([], ["a"])
    assert ("forget", ADDRESS.format(1)) in fake.asked
    assert connections == ["connected", "over"]


def test_the_slots_of_a_cluster_are_those_that_can_grade(fake, standing):
    engine_, work, _, connections = standing
    fake.workers[ADDRESS.format(3)] = {"nthreads": 7, "resources": {}}
    fake.warm[ADDRESS.format(3)] = Warm(refused="no walls", unsafe=True)
    fake.workers[ADDRESS.format(4)] = {"nthreads": 4, "resources": {"GPU": 1.0}}
    with engine_.held(work) as slots:
        assert slots == 1 + 1 + 4
    with engine_.held(replace(work, device="cuda")) as slots:
        assert slots == 1
        assert connections == ["connected", "over", "connected"]
