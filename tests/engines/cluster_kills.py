"""Kill what a cluster consists of while a large class is graded, and see that nothing is lost.

    python -m tests.engines.cluster_kills [--count 2000] [--workers 3] [--every 5] [--seed 0]

A class of the small course is graded here first, and then on a cluster in a network of its own, by
TLS. Every few seconds a worker is killed (-9) and started again, as systemd does it. After a third
of the class the scheduler is killed and started again, after two thirds the driver. Then each
submission must be stored exactly once, with the score that it has here, and no process be left.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from autograder.audit.publish import compile_and_publish
from autograder.course import Course
from autograder.sandbox.kernel import family_of
from tests.engines.clusters import LocalCluster, start_cluster
from tests.engines.kills import results_of
from tests.engines.networks import own_network, why_no_network
from tests.small_course import small_course

SECRET = "the secret of a course of its own"
LOOK_SECONDS = 0.2
LEFT_SECONDS = 30.0  # for processes to end that nobody needs any more
SLOT = b"autograder.engines.slot_process"


def make_class(root: Path, count: int) -> Course:
    """Write a course in which so many have submitted, each something of their own."""
    root.mkdir()
    course = small_course(root)
    compile_and_publish(course, "small", lambda _: None)
    right = (course.build("small") / "small_solution.ipynb").read_text()
    blank = (course.release("small") / "small.ipynb").read_text()
    wrong = right.replace("return factor * total", "return total")
    for number in range(count):
        text = (right, wrong, blank, right)[number % 4]
        folder = root / "submitted" / f"s{number:05}" / "small"
        folder.mkdir(parents=True)
        own = text.replace("# Small homework", f"# Small homework of {number}", 1)
        (folder / "small.ipynb").write_text(own)
    return course


def stored(root: Path) -> Counter[str]:
    """Return how many results of each student are stored."""
    return Counter(path.parent.name for path in root.glob("results/*/history/*/*.json"))


def grade(root: Path, *options: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start a run of a course."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "autograder", "grade", "small", "--quiet", *options],
        cwd=root,
        env=env | {"AUTOGRADER_SECRET": SECRET},
        stdin=subprocess.DEVNULL,
    )


class Killer:
    """Kills a worker now and then, until it is told to stop."""

    def __init__(self, cluster: LocalCluster, every: float, dice: random.Random) -> None:
        self._cluster, self._every, self._dice = cluster, every, dice
        self._over = threading.Event()
        self.kills = 0
        self._thread = threading.Thread(target=self._kill)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _kill(self) -> None:
        while not self._over.wait(self._every * self._dice.uniform(0.5, 1.5)):
            self._dice.choice(self._cluster.workers).kill()
            self.kills += 1


def grade_with_kills(root: Path, workers: int, every: float, dice: random.Random) -> list[str]:
    """Grade a class on a cluster of which something is killed again and again."""
    count, wrong = len(list((root / "submitted").iterdir())), list[str]()
    with ExitStack() as stack:
        if (why := why_no_network()) is None:
            network = stack.enter_context(own_network(workers + 1))
            prefix, host = network.prefixes[0], network.addresses[0]
            prefixes = network.prefixes[1:]
        else:
            print(f"all on loopback: {why}")
            prefix, host, prefixes = (), "127.0.0.1", ()
        cluster = stack.enter_context(
            start_cluster(
                root.parent / "cluster",
                [()] * workers,
                host=host,
                scheduler_prefix=prefix,
                prefixes=prefixes,
            )
        )
        killer = Killer(cluster, every, dice)
        stack.callback(killer.stop)
        drivers, scheduler_kills = [grade(root, *cluster.options(), prefix=prefix)], 0
        stack.callback(lambda: [one.kill() for one in drivers])  # where somebody interrupts this
        while drivers[-1].poll() is None:
            done = stored(root).total()
            if done >= count / 3 and not scheduler_kills:
                cluster.scheduler.kill()
                scheduler_kills = 1
            if done >= 2 * count / 3 and len(drivers) == 1:
                drivers[0].send_signal(signal.SIGKILL)
                drivers[0].wait()
                drivers.append(grade(root, *cluster.options(), prefix=prefix))
            time.sleep(LOOK_SECONDS)
        killer.stop()
        others = f"{scheduler_kills} scheduler, {len(drivers) - 1} driver"
        print(f"killed: {killer.kills} workers, {others}")
        if drivers[-1].returncode != 0:
            wrong.append(f"the driver left with {drivers[-1].returncode}")
        slots = set(slots_of(cluster))
    deadline = time.monotonic() + LEFT_SECONDS
    while (left := [p for p in slots if is_slot(p)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return wrong + [f"process {process} is left" for process in left]


def slots_of(cluster: LocalCluster) -> Iterator[int]:
    """Give the processes in which workers grade."""
    for worker in cluster.workers:
        yield from (process for process in family_of(worker.process.pid) if is_slot(process))


def is_slot(process: int) -> bool:
    """Return whether a process is one in which a worker grades."""
    try:
        return SLOT in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "course")
        make_class(root, options.count)
        began = time.monotonic()
        if (code := grade(root).wait()) != 0:
            raise SystemExit(f"the run here left with {code}")
        expected = results_of(root)
        print(f"{len(expected)} graded here in {time.monotonic() - began:.0f} s", flush=True)
        for name in ("results", "autograded", "feedback", "report"):
            shutil.rmtree(root / name, ignore_errors=True)
        (root / "gradebook.db").unlink()
        began = time.monotonic()
        dice = random.Random(options.seed)
        wrong = grade_with_kills(root, options.workers, options.every, dice)
        seconds, found, times = time.monotonic() - began, results_of(root), stored(root)
    wrong += [f"{s} was stored {n} times" for s, n in times.items() if n != 1]
    differ = [student for student in expected if found.get(student) != expected[student]]
    wrong += [f"{student} has another result: {found.get(student)}" for student in differ[:20]]
    print(
        f"{times.total()} results of {len(times)} students in {seconds:.0f} s; {len(differ)} differ"
    )
    print(*wrong, sep="\n")
    raise SystemExit(1 if wrong or len(times) != options.count else 0)


if __name__ == "__main__":
    main()
