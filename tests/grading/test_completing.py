"""What one machine left pending is decided by another, and nothing else of a result changes."""

import msgspec
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import (
    CaseResult,
    Completed,
    Status,
    Verdict,
    digest_of,
    dump_result,
    is_final,
    load_result,
)
from autograder.errors import HarnessError
from autograder.grading import case_runs
from autograder.grading.completing import Completion, can_be_completed
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits

SECRET = b"the secret of the course"


def clock(at="2026-11-20T02:10:40Z"):
    return at


@pytest.fixture(scope="module")
def bundle(bundle_path):
    """The tiny assignment, whose first question needs a GPU."""
    bundle = read_bundle(bundle_path)
    cells = tuple(
        msgspec.structs.replace(c, source=c.source.replace("points=2", "points=2, device='cuda'"))
        for c in bundle.source
    )
    return msgspec.structs.replace(bundle, source=cells)


@pytest.fixture(scope="module")
def graders(bundle):
    """A grader without a GPU, and one that takes it that it has one."""
    limits = Limits(cell_seconds=5.0, call_seconds=5.0)
    made = {
        device: Grader(bundle, load_bundle_oracle(bundle), SECRET, limits, device)
        for device in ("cpu", "cuda")
    }
    yield made
    for grader in made.values():
        grader.close()


def verdicts(result):
    return {
        question.id: [case.verdict for check in question.checks for case in check.cases]
        for question in result.questions
    }


def test_only_what_is_open_is_run_and_the_rest_stands(graders, submit, monkeypatch):
    data = submit(answers={"double": "def double(x):\n    return 2 * x", "triple": "triple = 3"})
    earlier = graders["cpu"].grade("ada", data, clock)
    assert verdicts(earlier)["double"] == [Verdict.PENDING] * 2
    ran, woken, run = [], [], case_runs.run_against

    def noted(oracle, check, case, session, *args, **options):
        ran.append(check.name)
        asked = getattr(session, "_session", session)  # behind what notes the last call
        woken.append(asked.wake)
        return run(oracle, check, case, session, *args, **options)

    monkeypatch.setattr(case_runs, "run_against", noted)
    whole = graders["cuda"].grade("ada", data, lambda: clock("2026-11-21T00:00:00Z"), 0, earlier)
    assert set(ran) == {"double_is_right"}
    assert set(woken) == {True}, "a check for a GPU finds it awake"
    assert verdicts(whole) == verdicts(earlier) | {"double": [Verdict.PASSED] * 2}
    assert (earlier.earned, whole.earned, whole.device) == (0.0, 2.0, "cuda")
    assert whole.questions[1:] == earlier.questions[1:]
    assert whole.completes == Completed("cpu", earlier.graded_at, whole.bundle)
    assert set(earlier.notes) <= set(whole.notes)
    assert len(set(whole.notes)) == len(whole.notes)
    assert load_result(dump_result(whole)) == whole
    assert is_final(whole)
    assert not can_be_completed(whole, whole.submission)


def test_a_case_that_was_decided_stands_though_this_run_would_decide_otherwise(graders, submit):
    """The same question has a case that ran without a GPU, and passed."""
    data = submit(answers={"double": "def double(x):\n    return 3 * x"})
    earlier = graders["cpu"].grade("ada", data, clock)
    (check,) = earlier.questions[0].checks
    stood = CaseResult("short", False, Verdict.PASSED, 0.25, margin=0.5)
    check = msgspec.structs.replace(check, cases=(stood, check.cases[1]))
    question = msgspec.structs.replace(earlier.questions[0], checks=(check,))
    earlier = msgspec.structs.replace(earlier, questions=(question, *earlier.questions[1:]))
    whole = graders["cuda"].grade("ada", data, clock, 0, earlier)
    assert whole.questions[0].checks[0].cases[0] == stood
    assert verdicts(whole)["double"] == [Verdict.PASSED, Verdict.FAILED]
    assert whole.questions[0].earned == 1.0


def test_what_breaks_on_our_side_leaves_the_earlier_points_and_is_completed_later(
    graders, submit, monkeypatch
):
    data = submit()
    earlier = graders["cpu"].grade("ada", data, clock)
    grader = graders["cuda"]
    with monkeypatch.context() as patch:

        def gone(*_, **__):
            raise HarnessError("the fork server is gone")

        patch.setattr(case_runs, "run_against", gone)
        broken = grader.grade("ada", data, lambda: clock("2026-11-21T00:00:00Z"), 0, earlier)
    assert (broken.fault, broken.earned) == ("the fork server is gone", earlier.earned)
    assert broken.questions == earlier.questions
    assert broken.status is Status.NEEDS_ATTENTION
    assert not is_final(broken)
    assert can_be_completed(broken, digest_of(data))
    whole = grader.grade("ada", data, clock, 1, broken)
    assert (whole.earned, whole.fault) == (5.0, None)
    assert whole.completes == Completed("cpu", earlier.graded_at, whole.bundle)


def test_a_check_that_broke_is_run_again_beside_what_waits_and_the_rest_stands(graders, submit):
    data = submit(answers={"double": "def double(x):\n    return 2 * x", "triple": "triple = 3"})
    earlier = graders["cpu"].grade("ada", data, clock)
    (check,) = earlier.questions[0].checks
    broke = CaseResult(check.cases[0].name, False, Verdict.BROKEN, 0.1, message="ours")
    check = msgspec.structs.replace(check, cases=(broke, check.cases[1]))
    question = msgspec.structs.replace(earlier.questions[0], checks=(check,))
    earlier = msgspec.structs.replace(earlier, questions=(question, *earlier.questions[1:]))
    assert not is_final(earlier)
    assert can_be_completed(earlier, digest_of(data))
    whole = graders["cuda"].grade("ada", data, clock, 1, earlier)
    assert verdicts(whole)["double"] == [Verdict.PASSED] * 2
    assert whole.questions[1:] == earlier.questions[1:], "they are not run again"
    assert whole.completes == Completed("cpu", earlier.graded_at, whole.bundle)
    only_broken = msgspec.structs.replace(check, cases=(broke,))
    question = msgspec.structs.replace(question, checks=(only_broken,))
    other = msgspec.structs.replace(earlier, questions=(question,))
    assert not can_be_completed(other, digest_of(data)), "nothing of it waits for a GPU"


def test_an_earlier_result_of_something_else_is_not_completed(graders, submit, bundle):
    data = submit()
    earlier = graders["cpu"].grade("ada", data, clock)
    digest = digest_of(data)
    completion = Completion.of(earlier, digest, bundle)
    assert completion is not None
    assert completion.questions == {"double"}
    assert Completion.of(earlier, digest_of(b"another file"), bundle) is None
    assert Completion.of(None, digest, bundle) is None
    for change in (
        {"status": Status.UNGRADED},
        {"fault": "broke"},
        {"questions": earlier.questions[1:]},
        {"questions": (earlier.questions[0], *earlier.questions[:0:-1])},
    ):
        other = msgspec.structs.replace(earlier, **change)
        assert Completion.of(other, digest, bundle) is None, change
    entry = msgspec.structs.replace(bundle.manifest.questions[0], points=7.0)
    entries = (entry, *bundle.manifest.questions[1:])
    manifest = msgspec.structs.replace(bundle.manifest, questions=entries)
    assert (
        Completion.of(earlier, digest, msgspec.structs.replace(bundle, manifest=manifest)) is None
    )


def test_a_result_of_two_runs_names_the_weaker_walls_and_the_checks_that_most_of_it_is_by(
    graders, submit, bundle
):
    earlier = graders["cpu"].grade("ada", submit(), clock)
    earlier = msgspec.structs.replace(earlier, isolation="own user", bundle="sha256:former")
    completion = Completion.of(earlier, earlier.submission, bundle)
    for here, weaker in (("namespaces", "own user"), ("own user", "own user"), (None, None)):
        now = msgspec.structs.replace(earlier, isolation=here, device="cuda", bundle=bundle.id)
        whole = completion.whole(now)
        assert (whole.isolation, whole.bundle) == (weaker, "sha256:former")
        assert whole.completes == Completed("cpu", earlier.graded_at, bundle.id)
