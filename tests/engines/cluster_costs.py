"""Measure what a cluster costs beside the gradings themselves, on this machine.

    python -m tests.engines.cluster_costs [--count 1000] [--long 40] [--workers 2]

A class of the small course is graded here, and then on a cluster of processes that speak TLS: both
in one run, as many at a time, so that the ratio holds on a machine that others use, too. Then a
class whose notebooks compute for two seconds each is graded on the cluster, and the processor's
time of scheduler, workers and driver is counted beside that.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from tests.engines.cluster_kills import SECRET, make_class
from tests.engines.clusters import LocalCluster, start_cluster

IDLE_SECONDS = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
WORKING = """
import time
until = time.process_time() + 2.0
while time.process_time() < until:
    pass
"""


@dataclass(frozen=True)
class Cost:
    """What a run took, in seconds: by the clock, and of the processor in our own processes."""

    wall: float
    driver: float
    scheduler: float = 0.0
    workers: float = 0.0


def own_seconds(process: int) -> float:
    """Return the processor's time that a process has used, without its children; 0 if it ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / TICKS


def grade(root: Path, workers: int, cluster: LocalCluster | None = None) -> Cost:
    """Grade a class from nothing, and return what that took."""
    for name in ("results", "autograded", "feedback", "report"):
        shutil.rmtree(root / name, ignore_errors=True)
    (root / "gradebook.db").unlink(missing_ok=True)
    options = cluster.options() if cluster is not None else ["--jobs", str(workers)]
    env = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
    before = of_cluster(cluster)
    began, driver = time.monotonic(), 0.0
    run = subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "small", "--quiet", *options],
        cwd=root,
        env=env | {"AUTOGRADER_SECRET": SECRET},
    )
    while run.poll() is None:
        driver = max(driver, own_seconds(run.pid))
        time.sleep(0.05)
    wall, after = time.monotonic() - began, of_cluster(cluster)
    if run.returncode != 0:
        raise SystemExit(f"the run left with {run.returncode}")
    return Cost(wall, driver, after[0] - before[0], after[1] - before[1])


def of_cluster(cluster: LocalCluster | None) -> tuple[float, float]:
    """Return the processor's time of the scheduler and of the workers, without their slots."""
    if cluster is None:
        return 0.0, 0.0
    workers = [worker.process.pid for worker in cluster.workers]
    return own_seconds(cluster.scheduler.process.pid), sum(map(own_seconds, workers))


def slow_class(course: Course, count: int) -> None:
    """Have another class submit: so many, who compute for two seconds each."""
    shutil.rmtree(course.root / "submitted")
    right = (course.build("small") / "small_solution.ipynb").read_text()
    working = WORKING.strip().replace("\n", "\\n")
    for number in range(count):
        text = right.replace("import numpy as np\\n", f"{working}\\nimport numpy as np\\n", 1)
        text = text.replace("# Small homework", f"# Small homework of {number}", 1)
        folder = course.root / "submitted" / f"s{number:05}" / "small"
        folder.mkdir(parents=True)
        (folder / "small.ipynb").write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--long", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = make_class(Path(folder, "course"), options.count)
        with start_cluster(Path(folder, "cluster"), [()] * options.workers) as cluster:
            cluster.wait()
            time.sleep(5)  # their own start is not the run's
            here = grade(course.root, options.workers)
            there = grade(course.root, options.workers, cluster)
            again = grade(course.root, options.workers, cluster)
            print(f"{options.count} submissions, {options.workers} at a time")
            for name, cost in (("here", here), ("cluster", there), ("cluster, warm", again)):
                print(f"  {name}: {cost}", flush=True)
            print(f"  cluster / here: {there.wall / here.wall:.2f}, {again.wall / here.wall:.2f}")
            print_share(course, cluster, options.long)


def print_share(course: Course, cluster: LocalCluster, count: int) -> None:
    """Print what a submission of two seconds costs beside them: the difference of two classes."""
    before = of_cluster(cluster)
    time.sleep(IDLE_SECONDS)
    after = of_cluster(cluster)
    idle = [(b - a) / IDLE_SECONDS for a, b in zip(before, after, strict=True)]
    costs = []
    for size in (count // 4, count):
        slow_class(course, size)
        costs.append(grade(course.root, len(cluster.workers), cluster))
        print(f"{size} submissions of 2 s: {costs[-1]}", flush=True)
    few, many = costs
    more, wall = count - count // 4, many.wall - few.wall
    for name, used, resting in (
        ("scheduler", many.scheduler - few.scheduler, idle[0]),
        ("workers", many.workers - few.workers, idle[1]),
    ):
        each = (used - resting * wall) / more
        print(
            f"  {name}: {1000 * each:.1f} ms for each more, {100 * each / 2:.2f} % of its 2 s; and "
            f"{100 * resting:.2f} % of a processor all the time"
        )


if __name__ == "__main__":
    main()
