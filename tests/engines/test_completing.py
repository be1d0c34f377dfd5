"""What a run without a GPU leaves pending, a run with one completes: that, and nothing else."""

import shutil

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.proof import proof_file
from autograder.artefacts.results import Completed, Verdict
from autograder.audit.publish import compile_and_publish
from autograder.cli import main
from autograder.course import Course
from autograder.engines.grader import given_up
from autograder.engines.known import completed_here
from autograder.engines.regrade import regrade, verify
from autograder.engines.run import grade_assignment
from autograder.grading.intake import read_submitted
from autograder.policies import Attempts, OwnPolicies, Policies
from autograder.records.store import Store
from autograder.sandbox.client import gpu
from tests.engines.conftest import Classroom
from tests.fake_gpu import built_with_cuda, fake_driver
from tests.small_course import made_once, small_course

__all__ = ["built_with_cuda", "fake_driver"]

ON_GPU = '@check("choice", points=1', '@check("choice", points=1, device="cuda"'


class Silent:
    def begin(self, total):
        self.total = total

    def advance(self, result):
        pass

    def say(self, text):
        pass


@pytest.fixture(scope="session")
def compiled_for_gpu(tmp_path_factory, small_proof):
    """The small course, in which one question of two needs a GPU."""

    def make(root):
        course = small_course(root, ON_GPU)
        proof_file(course, "small").write_bytes(small_proof)
        compile_and_publish(course, "small", lambda _: None)

    return made_once(tmp_path_factory, "compiled-for-gpu", make)


@pytest.fixture
def classroom(compiled_for_gpu, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(compiled_for_gpu, root)
    return Classroom(Course(root, "Small"))


pytestmark = pytest.mark.usefixtures("fake_driver", "built_with_cuda")


def grade(classroom, device, **options):
    return grade_assignment(classroom.course, "small", Silent(), device=device, **options)


def lost(work, jobs, workers):
    """Give up each submission, as an engine does with which two GPUs were lost."""
    bundle = read_bundle(work.bundle)
    for job in jobs:
        yield given_up(bundle, job, read_submitted(job.path), work.device, "2 GPUs were lost")


def earned(run):
    return {student: (r.earned, r.device) for student, r in run.results.items()}


def test_a_run_on_a_gpu_completes_what_waits_and_leaves_the_rest_alone(classroom):
    classroom.submit("ada")
    run = grade(classroom, "cpu")
    assert earned(run) == {"ada": (4.0, "cpu")}
    assert run.results["ada"].status == "pending"
    classroom.submit("bo", classroom.blank)
    run = grade(classroom, "cuda")
    assert earned(run) == {"ada": (5.0, "cuda"), "bo": (0.0, "cuda")}
    store = Store(classroom.course.results("small"))
    former, whole = store.history("ada")
    assert whole.completes == Completed("cpu", former.graded_at, whole.bundle)
    assert whole.questions[0] == former.questions[0], "it is not run again"
    (bo,) = store.history("bo")
    assert Verdict.PENDING not in bo.verdicts

    for device in ("cpu", "cuda", "cpu"):
        again = grade(classroom, device)
        assert (again.graded, earned(again)) == ((), earned(run)), device
    found = regrade(classroom.course, "small", Silent(), device="cuda", apply=True)
    assert found.graded == 0
    for device in ("cpu", "cuda"):
        checked = verify(classroom.course, "small", Silent(), 2, 0, device)
        assert (checked.students, checked.differences) == (("ada", "bo"), ()), device


def test_on_a_gpu_nothing_is_run_again_of_a_class_that_waits_for_nothing(classroom, compiled):
    shutil.copy(compiled / "build" / "small" / "small.bundle", classroom.course.build("small"))
    classroom.submit("ada")
    assert earned(grade(classroom, "cpu")) == {"ada": (5.0, "cpu")}
    run = grade(classroom, "cuda")
    assert (run.graded, earned(run)) == ((), {"ada": (5.0, "cpu")})
    checked = verify(classroom.course, "small", Silent(), 1, 0, device="cuda")
    assert (checked.students, checked.differences) == (("ada",), ())


def test_a_file_that_was_submitted_since_is_graded_whole(classroom):
    classroom.submit("ada", classroom.blank)
    grade(classroom, "cpu")
    classroom.submit("ada")
    run = grade(classroom, "cuda")
    assert earned(run) == {"ada": (5.0, "cuda")}
    assert not isinstance(run.results["ada"].completes, Completed)


def test_what_another_bundle_decided_stands_when_a_gpu_completes_it(classroom):
    """The machine with the GPU compiled anew, with another PyTorch: the checks are the same."""
    classroom.submit("ada")
    before = grade(classroom, "cpu").results["ada"]
    other = before.__class__(
        **{name: getattr(before, name) for name in before.__struct_fields__}
        | {"bundle": "sha256:" + "0" * 64}
    )
    store = Store(classroom.course.results("small"))
    store.forget("ada")
    store.put("ada", "a" * 64, other)
    run = grade(classroom, "cuda")
    whole = run.results["ada"]
    assert (whole.earned, whole.bundle, run.former) == (5.0, other.bundle, ("ada",))
    assert whole.completes == Completed("cpu", other.graded_at, before.bundle)
    assert grade(classroom, "cuda").graded == ()


def test_a_run_on_a_gpu_that_is_given_up_hides_no_later_run(classroom):
    classroom.submit("ada")
    run = grade(classroom, "cuda", engine=lost)
    assert run.results["ada"].fault == "2 GPUs were lost"
    assert earned(grade(classroom, "cpu")) == {"ada": (4.0, "cpu")}
    again = grade(classroom, "cpu")
    assert (again.graded, earned(again)) == ((), {"ada": (4.0, "cpu")})
    run = grade(classroom, "cuda", engine=lost)
    assert run.results["ada"].earned == 4.0, "what was decided stands beside the fault"
    assert earned(grade(classroom, "cuda")) == {"ada": (5.0, "cuda")}


def test_a_trial_on_a_gpu_hides_no_run_that_counts(classroom):
    classroom.submit("ada")
    grade(classroom, "cpu")
    trial = grade(classroom, "cuda", unsafe_local=True).results["ada"]
    assert (trial.status, trial.isolation) == ("ungraded", None)
    run = grade(classroom, "cpu")
    assert (run.graded, earned(run)) == ((), {"ada": (4.0, "cpu")})
    assert earned(grade(classroom, "cuda")) == {"ada": (5.0, "cuda")}


def test_every_attempt_that_counts_is_completed(classroom):
    best = Policies(own={"small": OwnPolicies(attempts=Attempts.BEST)})
    object.__setattr__(classroom.course, "policies", best)
    classroom.submit("ada")
    grade(classroom, "cpu")
    classroom.submit("ada", classroom.blank)
    grade(classroom, "cpu")
    run = grade(classroom, "cuda")
    found = Store(classroom.course.results("small")).history("ada")
    on_gpu = [r for r in found if r.device == "cuda"]
    assert sorted(r.earned for r in on_gpu) == [0.0, 5.0]
    assert all(isinstance(r.completes, Completed) for r in on_gpu)
    assert run.grades["ada"].result.earned == 5.0
    assert grade(classroom, "cuda").graded == ()


def test_a_run_without_a_gpu_completes_nothing(classroom):
    classroom.submit("ada")
    waits = grade(classroom, "cpu").results["ada"]
    bundle = read_bundle(classroom.course.bundle("small"))
    assert completed_here(waits, waits.submission, bundle, "cuda")
    assert not completed_here(waits, waits.submission, bundle, "cpu")
    assert not completed_here(None, waits.submission, bundle, "cuda")


def worth_two(classroom):
    """Publish the assignment once more, with a question of two points in place of four."""
    source = classroom.course.source("small")
    text = source.read_text()
    assert text.count("points=4") == 1
    source.write_text(text.replace("points=4", "points=2"))
    compile_and_publish(classroom.course, "small", lambda _: None)
    return read_bundle(classroom.course.bundle("small")).id


def test_a_gpu_grades_nothing_by_changed_checks_unless_a_regrade_asks_for_it(
    classroom,
):
    best = Policies(own={"small": OwnPolicies(attempts=Attempts.BEST)})
    object.__setattr__(classroom.course, "policies", best)
    classroom.submit("bo", classroom.blank)
    grade(classroom, "cpu")
    classroom.submit("bo")
    classroom.submit("ada")
    former = earned(grade(classroom, "cpu"))
    assert former == {"ada": (4.0, "cpu"), "bo": (4.0, "cpu")}
    worth_two(classroom)
    for device in ("cpu", "cuda", "cpu"):
        run = grade(classroom, device)
        assert (run.graded, earned(run), run.former) == ((), former, ("ada", "bo")), device
    found = regrade(classroom.course, "small", Silent(), device="cuda", apply=True)
    assert found.graded == 2
    run = grade(classroom, "cuda")
    assert (run.graded, earned(run)) == ((), {"ada": (3.0, "cuda"), "bo": (3.0, "cuda")})


def test_a_regrade_without_a_gpu_takes_no_points_that_one_gave(classroom):
    classroom.submit("ada")
    grade(classroom, "cpu")
    whole = earned(grade(classroom, "cuda"))
    assert whole == {"ada": (5.0, "cuda")}
    bundle = classroom.course.bundle("small")
    former = bundle.read_bytes()
    source = classroom.course.source("small")
    text = source.read_text()
    assert text.count("mind the default of the factor") == 1
    source.write_text(text.replace("mind the default of the factor", "mind the default"))
    compile_and_publish(classroom.course, "small", lambda _: None)
    found = regrade(classroom.course, "small", Silent(), device="cpu", apply=True)
    assert found.lines() == [
        "small: 1 submissions graded again: 0 gain, 0 lose, 0 stay as they are, "
        "1 with what waits for a GPU now",
        "  ada: choice_is_right had 1 points and is open now, until a machine with a GPU grades it "
        "(--device cuda)",
    ]
    assert found.problems == ()
    assert earned(grade(classroom, "cpu")) == {"ada": (4.0, "cpu")}

    bundle.write_bytes(former)
    preview = regrade(classroom.course, "small", Silent(), device="cpu", apply=False)
    assert preview.graded == 0
    found = regrade(classroom.course, "small", Silent(), device="cpu", apply=True)
    assert found.graded == 0
    assert earned(grade(classroom, "cpu")) == whole, "it was completed by that bundle"


def test_a_run_without_a_gpu_grades_nothing_that_one_has_graded_whole(classroom):
    classroom.submit("ada")
    whole = earned(grade(classroom, "cuda"))
    classroom.submit("ada", classroom.blank)
    assert earned(grade(classroom, "cpu")) == {"ada": (0.0, "cpu")}
    classroom.submit("ada")
    run = grade(classroom, "cpu")
    assert (run.graded, earned(run)) == ((), whole)


def test_what_a_gpu_failed_to_complete_is_not_graded_by_changed_checks_either(classroom):
    classroom.submit("ada")
    grade(classroom, "cpu")
    run = grade(classroom, "cuda", engine=lost)
    assert (run.results["ada"].fault, run.results["ada"].earned) == ("2 GPUs were lost", 4.0)
    worth_two(classroom)
    for device in ("cpu", "cuda"):
        run = grade(classroom, device)
        assert (run.graded, run.former, run.results["ada"].earned) == ((), ("ada",), 4.0), device


def test_on_the_command_line_a_machine_with_a_gpu_completes_what_one_without_left(
    classroom, fake_driver, monkeypatch, capsys
):
    monkeypatch.chdir(classroom.root)
    classroom.submit("ada")
    assert main(["grade", "small", "--device", "cpu", "--quiet"]) == 0
    fake_driver.set(0, lost=True)
    monkeypatch.setattr(gpu, "gpus_here", lambda: fake_driver.gpus)
    assert main(["grade", "small", "--device", "cuda", "--quiet"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "needs attention: Fake (GPU-00000000) cannot be used" in said
    assert "1 of the submissions wait for a GPU: run the same command again" in said
    fake_driver.set(0, lost=False)
    assert main(["grade", "small", "--quiet"]) == 0  # auto
    assert main(["history", "ada", "small"]) == 0
    lines = capsys.readouterr().out.splitlines()
    runs = [line for line in lines if "graded by bundle" in line]
    assert [line.endswith(("4 of 7, pending", "5 of 7, pending")) for line in runs] == [True, True]
    assert "on cpu, " in runs[0]
    assert "on cuda, completing the run on cpu of 20" in runs[1]


def test_on_the_command_line_a_gpu_is_not_taken_for_granted(classroom, monkeypatch, capsys):
    monkeypatch.chdir(classroom.root)
    classroom.submit("ada")
    monkeypatch.setattr(gpu, "gpus_here", lambda: ())
    assert main(["grade", "small", "--device", "cuda"]) == 2
    assert "--device cuda: this machine has no GPU" in capsys.readouterr().err
    assert main(["grade", "small", "--quiet"]) == 0  # auto
    result = Store(classroom.course.results("small")).shown("ada")
    assert (result.device, result.earned, result.status) == ("cpu", 4.0, "pending")


def test_a_gpu_is_used_by_itself_only_where_a_check_needs_one(classroom, compiled, monkeypatch):
    """Without one, a class is graded on all cores."""
    classroom.submit("ada")
    assert grade(classroom, "auto").results["ada"].device == "cuda"
    shutil.copy(compiled / "build" / "small" / "small.bundle", classroom.course.build("small"))
    classroom.submit("bo")
    assert grade(classroom, "auto").results["bo"].device == "cpu"
    monkeypatch.setattr(gpu, "gpus_here", lambda: ())
    classroom.submit("cy")
    assert grade(classroom, "auto").results["cy"].device == "cpu"
