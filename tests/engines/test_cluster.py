"""A class graded on a real cluster: processes of their own, that speak TLS in a network of theirs.

The same with kills, and a larger class: tests/engines/cluster_kills.py.
"""

import json
import os
import shutil
import subprocess
import sys
import time

import msgspec
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import load_result
from autograder.cluster import Cluster
from autograder.course import Course
from autograder.engines import dask_cluster
from autograder.engines.dask_cluster import connected
from autograder.engines.grader import Worker
from autograder.engines.work import Job, Work
from autograder.errors import HarnessError
from autograder.sandbox.protocol.settings import WEAKEST
from tests.engines.cluster_kills import slots_of
from tests.engines.clusters import make_certificates, start_cluster
from tests.engines.networks import own_network, why_no_network
from tests.sharing import fork_servers, sharing_fork_servers

__all__ = ["fork_servers", "sharing_fork_servers"]

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
pytest.importorskip("cryptography", reason="certificates are made by it")

SECRET = "the secret of a course of its own"


def same_in_each(result):
    """Return a result without times, which differ, and without a search that ends by the clock."""
    found = json.loads(msgspec.json.encode(result))
    del found["graded_at"]
    for question in found["questions"]:
        for check in question["checks"]:
            for case in check["cases"]:
                case.pop("smallest", None)
                del case["seconds"]
    return found


def handed_in(course, right, blank):
    """Have a small class submit; return the notebooks by student."""
    wrong = right.replace("return factor * total", "return total")
    texts = {"ada": right, "bo": blank, "cy": wrong, "dee": "no notebook", "eve": right}
    for student, text in texts.items():
        folder = course.root / "submitted" / student / "small"
        folder.mkdir(parents=True)
        (folder / "small.ipynb").write_text(text)
    (course.root / "submitted" / "flo" / "small").mkdir(parents=True)
    return [*texts, "flo"]


@pytest.mark.takes(seconds=10)
def test_a_class_is_graded_on_other_machines_as_it_is_here(
    compiled, tmp_path, sharing_fork_servers
):
    if (why := why_no_network()) is not None:
        pytest.skip(why)
    course = Course(shutil.copytree(compiled, tmp_path / "course"), "Small", secret=SECRET.encode())
    right = (course.build("small") / "small_solution.ipynb").read_text()
    students = handed_in(course, right, (course.release("small") / "small.ipynb").read_text())
    env = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
    with (
        own_network(3) as network,
        start_cluster(
            tmp_path / "cluster",
            host=network.addresses[0],
            scheduler_prefix=network.prefixes[0],
            prefixes=network.prefixes[1:],
        ) as cluster,
    ):
        done = subprocess.run(
            [
                *(*network.prefixes[0], sys.executable, "-m", "autograder", "grade", "small"),
                *cluster.options(),
            ],
            cwd=course.root,
            env=env | {"AUTOGRADER_SECRET": SECRET},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        deadline = time.monotonic() + 20
        while any(slots_of(cluster)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(slots_of(cluster)), "nobody knows the secret behind the run"
    assert done.returncode == 1, done.stderr  # dee's and flo's need attention
    assert "graded 6 submissions" in done.stdout
    work = Work.of(course, "small", "cpu", WEAKEST)
    worker = Worker(work, read_bundle(work.bundle))
    try:
        for student in students:
            (stored,) = (course.results("small") / "history" / student).iterdir()
            notebook = course.root / "submitted" / student / "small" / "small.ipynb"
            here = worker.grade(Job(student, notebook)).result
            assert same_in_each(load_result(stored.read_bytes())) == same_in_each(here)
    finally:
        worker.close()


def test_a_scheduler_that_does_not_know_us_is_said_not_to_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.5)
    other = make_certificates(tmp_path / "other")
    with start_cluster(tmp_path / "cluster", workers=()) as cluster:
        cluster.wait()
        files = map(str, (other.ca, other.cert, other.key))
        ours = Cluster(cluster.address, *files)
        with (
            connected(ours, SECRET.encode()) as connect,
            pytest.raises(HarnessError, match="does not answer"),
        ):
            connect()
