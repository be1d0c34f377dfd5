"""A run on a GPU compares what a check computes there by that device's tolerances, and no more.

There is no GPU in these tests: what a session answers was computed on the CPU, and is a little off.
"""

import msgspec
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Verdict
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits

OFF = "def double(x):\n    return FACTOR * x * np.float32(1 + 5e-5)"  # in single precision


@pytest.fixture(scope="module")
def bundle(bundle_path):
    return read_bundle(bundle_path)


@pytest.fixture(scope="module")
def fork_server(bundle):
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", Limits()) as grader:
        yield grader._warm_fork_server()


@pytest.mark.parametrize(
    ("option", "run", "verdict"),
    [
        ("", "cpu", Verdict.FAILED),
        ("", "cuda", Verdict.FAILED),
        (", device='cuda'", "cpu", Verdict.PENDING),
        (", device='cuda'", "cuda", Verdict.PASSED),
    ],
)
def test_only_what_computes_on_a_gpu_is_compared_as_such(
    bundle, fork_server, submit, option, run, verdict
):
    cells = tuple(
        msgspec.structs.replace(
            cell,
            source=cell.source.replace("points=2", f"points=2{option}").replace(
                "rng.normal(size=n)", "rng.normal(size=n).astype('float32')"
            ),
        )
        for cell in bundle.source
    )
    changed = msgspec.structs.replace(bundle, source=cells)
    grader = Grader(changed, load_bundle_oracle(changed), b"secret", Limits(), run)
    grader._fork_server = fork_server
    result = grader.grade("ada", submit({"double": OFF}), lambda: "2026-11-20T02:10:40Z")
    found = {q.id: [c.verdict for k in q.checks for c in k.cases] for q in result.questions}
    assert found["double"] == [verdict] * 2
    assert result.device == run
