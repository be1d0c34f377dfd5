"""What the class hands in is graded as by those who read it."""

from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.compiler.build import build
from autograder.course import find_course
from autograder.grading.bundle import parse_bundle
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.results import Result, Verdict
from autograder.grading.runner import Grader
from tests.demo.other_homework import SLIPS, homework
from tests.demo.writeups import submissions, writeups

ROOT = Path(__file__).resolve().parents[2]


class Row(NamedTuple):
    """What an answer is worth, and why."""

    question: str
    check: str
    earned: float
    points: float
    why: str
    says: str = ""  # of the diagnosis, where a known slip is behind the answer


# By write-up and assignment. What is not here is not answered, and earns nothing.
EXPECTED: dict[tuple[str, str], tuple[Row, ...]] = {
    ("writeup_000", "hw1_optimizers"): (
        Row("sgd_step", "sgd_step_matches_reference", 4, 4, "the rule as it is given"),
        Row("adagrad_step", "adagrad_step_matches_reference", 2, 2, "the rule as it is given"),
        Row("adagrad_step", "adagrad_step_handles_tiny_gradients", 2, 2, "eps outside the root"),
        Row("adagrad_step", "adagrad_steps_follow_reference", 2, 2, "squares are accumulated"),
        Row("least_squares", "least_squares_loss_matches_reference", 2, 2, "right"),
        Row("least_squares", "least_squares_gradient_matches_reference", 3, 3, "right"),
        Row("minimum_norm_solution", "minimum_norm_solution_matches_reference", 3, 3, "right"),
        Row("minimum_norm_solution", "minimum_norm_solution_fits_and_is_shortest", 2, 2, "right"),
        Row(
            "sgd_least_squares",
            "sgd_least_squares_matches_reference",
            2,
            3,
            "2/n for one example, where it is 2; batches are right",
            says="the gradient of one example is divided by n",
        ),
        Row("sgd_least_squares", "sgd_least_squares_stays_in_the_row_space", 2, 2, "so it does"),
        Row(
            "sgd_least_squares",
            "sgd_least_squares_finds_the_minimum_norm_solution",
            2,
            2,
            "a factor of the learning rate does not move the limit",
        ),
        Row(
            "adaptive_limit",
            "adaptive_is_minimum_norm_is_right",
            0,
            1,
            "the right conclusion, which counts with the limit only, and that is not given",
        ),
    ),
    ("writeup_000", "hw2_hypergradients"): (
        Row("loss_after_one_step", "loss_after_one_step_matches_reference", 5, 5, "right"),
        Row(
            "dloss_deta",
            "dloss_deta_matches_reference",
            0,
            7,
            "the sign of the first derivative is wrong",
            says="the sign",
        ),
        Row(
            "d2loss_deta2",
            "d2loss_deta2_matches_reference",
            0,
            5,
            "a product of an n-vector with a d-vector, not a squared norm",
            says="the shapes do not fit",
        ),
        Row(
            "optimal_lr",
            "optimal_lr_matches_reference",
            0,
            4,
            "the denominator has one transpose of X too many",
            says="one X^T too many in the denominator",
        ),
        Row(
            "optimal_lr",
            "optimal_lr_knows_when_nothing_depends_on_it",
            0,
            3,
            "the zero denominator is seen, but the formula beside it cannot be computed",
            says="one X^T too many in the denominator",
        ),
        Row(
            "convexity_choices",
            "convexity_choices_are_right",
            0,
            2,
            "'> 0' for a second derivative that can be 0",
            says="a square can be zero",
        ),
        Row("graph_edges", "graph_edges_are_right", 3, 3, "the formulas beside the drawing"),
        Row(
            "memory_choices",
            "memory_choices_are_right",
            0,
            2,
            "O(1) and O(t) are right; that dw_i/d eta is stored is forward mode",
            says="forward mode carries along",
        ),
    ),
    ("writeup_000", "hw5_conv_arithmetic"): (
        Row("convolution_by_hand", "laplacian_response_is_right", 2, 2, "right"),
        Row(
            "parameter_table",
            "parameter_table_is_right",
            5,
            7,
            "a total that is 50,000 too large, and no biases in FC-1024",
            says="FC-1024 without its biases, and a slip of fifty thousand",
        ),
    ),
    ("writeup_001", "hw1_optimizers"): (
        Row("sgd_step", "sgd_step_matches_reference", 4, 4, "right"),
        Row("rmsprop_step", "rmsprop_step_matches_reference", 2, 2, "the program runs"),
        Row("rmsprop_step", "rmsprop_step_handles_tiny_gradients", 2, 2, "eps outside the root"),
        Row("rmsprop_step", "rmsprop_steps_follow_reference", 2, 2, "the program runs"),
        Row("least_squares", "least_squares_loss_matches_reference", 2, 2, "right"),
        Row("least_squares", "least_squares_gradient_matches_reference", 3, 3, "right"),
        Row("minimum_norm_solution", "minimum_norm_solution_matches_reference", 3, 3, "right"),
        Row("minimum_norm_solution", "minimum_norm_solution_fits_and_is_shortest", 2, 2, "right"),
        Row(
            "sgd_least_squares",
            "sgd_least_squares_matches_reference",
            3,
            3,
            "1/b inside the loss of an example comes to the same for a batch",
        ),
        Row("sgd_least_squares", "sgd_least_squares_stays_in_the_row_space", 2, 2, "right"),
        Row(
            "sgd_least_squares",
            "sgd_least_squares_finds_the_minimum_norm_solution",
            2,
            2,
            "right",
        ),
        Row(
            "adaptive_limit",
            "adaptive_limit_is_right",
            0,
            3,
            "0.66 is cut off; three decimals are asked for",
            says="cut off, not rounded",
        ),
        Row(
            "adaptive_limit",
            "adaptive_is_minimum_norm_is_right",
            0,
            1,
            "right, but counts with the limit only",
            says="cut off, not rounded",
        ),
        Row("weight_decay", "l2_step_matches_reference", 2, 2, "right"),
        Row("weight_decay", "decay_step_matches_reference", 2, 2, "right"),
        Row("equivalent_l2", "equivalent_l2_matches_reference", 2, 2, "right"),
        Row("batch_size_choices", "larger_batch_learning_rate_is_right", 1, 1, "right"),
        Row("batch_size_choices", "noise_dominated_remedy_is_right", 1, 1, "right"),
        Row("batch_size_choices", "curvature_dominated_remedy_is_right", 1, 1, "right"),
        Row("batch_size_choices", "best_use_of_compute_is_right", 1, 1, "model size: right"),
    ),
    ("writeup_001", "hw2_hypergradients"): (
        Row("loss_after_one_step", "loss_after_one_step_matches_reference", 5, 5, "right"),
        Row("dloss_deta", "dloss_deta_matches_reference", 7, 7, "all factors are right"),
        Row("optimal_lr", "optimal_lr_matches_reference", 4, 4, "right"),
        Row(
            "optimal_lr",
            "optimal_lr_knows_when_nothing_depends_on_it",
            0,
            3,
            "nothing is said of a zero denominator",
            says="divided by zero",
        ),
    ),
    ("writeup_001", "hw5_conv_arithmetic"): (
        Row("count_params", "count_params_follows_a_convention", 6, 6, "biases and norms count"),
        Row("count_outputs", "count_outputs_follows_a_convention", 6, 6, "all but ReLUs count"),
        Row("count_connections", "count_connections_follows_a_convention", 7, 7, "likewise"),
        Row(
            "halve_and_double",
            "halve_and_double_is_right",
            1,
            3,
            "right for kernels of 4 and 5; no others were asked for",
            says="only for kernels of three, four and five",
        ),
    ),
    ("writeup_001", "hw6_colorization"): (
        Row("padding_for", "padding_for_small_kernels", 3, 3, "right for 4 and 5"),
        Row("padding_for", "padding_for_any_kernel", 0, 2, "no other kernels were asked for"),
    ),
    ("writeup_002", "hw1_optimizers"): (
        Row("sgd_step", "sgd_step_matches_reference", 4, 4, "the rule as it is given"),
        Row("least_squares", "least_squares_loss_matches_reference", 2, 2, "right"),
        Row("least_squares", "least_squares_gradient_matches_reference", 3, 3, "right"),
        Row(
            "sgd_least_squares",
            "sgd_least_squares_matches_reference",
            1,
            3,
            "right for single examples; batches are not answered",
        ),
        Row("sgd_least_squares", "sgd_least_squares_stays_in_the_row_space", 1, 2, "likewise"),
        Row(
            "sgd_least_squares",
            "sgd_least_squares_finds_the_minimum_norm_solution",
            1,
            2,
            "likewise",
        ),
    ),
    ("writeup_002", "hw2_hypergradients"): (
        Row("loss_after_one_step", "loss_after_one_step_matches_reference", 5, 5, "right"),
        Row(
            "dloss_deta",
            "dloss_deta_matches_reference",
            7 / 6,
            7,
            "4/n for 4/n²: right for a single example only, one case of six",
            says="a factor 1/n was lost: 4/n",
        ),
        Row(
            "d2loss_deta2",
            "d2loss_deta2_matches_reference",
            1,
            5,
            "8/n² for 8/n³: right for a single example only, one case of five",
            says="8/n² in place of 8/n³",
        ),
        Row(
            "optimal_lr",
            "optimal_lr_matches_reference",
            4,
            4,
            "right, as the wrong factors cancel",
        ),
        Row(
            "optimal_lr",
            "optimal_lr_knows_when_nothing_depends_on_it",
            0,
            3,
            "nothing is said of a zero denominator",
            says="divided by zero",
        ),
        Row(
            "convexity_choices",
            "convexity_choices_are_right",
            0,
            2,
            "'> 0' for a second derivative that can be 0",
            says="a square can be zero",
        ),
        Row(
            "memory_choices",
            "memory_choices_are_right",
            0,
            2,
            "O(1) and O(t) are right; what is kept of a step is not said, and all three count",
        ),
    ),
    ("writeup_002", "hw5_conv_arithmetic"): (
        Row("convolution_by_hand", "laplacian_response_is_right", 2, 2, "right"),
        Row("parameter_table", "parameter_table_is_right", 7, 7, "52,444,644 is right"),
    ),
    ("writeup_003", "hw3_autodiff"): (
        Row("f", "f_matches_reference", 4, 4, "both values are right"),
        Row(
            "numeric_jacobian",
            "numeric_jacobian_matches_reference",
            2,
            5,
            "the forward scheme is right; there is no central one",
        ),
        Row("numeric_jacobian", "numeric_jacobian_converts_first", 0, 1, "needs both schemes"),
        Row("numeric_jacobian", "numeric_jacobian_of_f", 1, 2, "the forward scheme"),
        Row("prox_step", "prox_step_matches_reference", 4, 4, "the final formula is right"),
        Row("regret_terms", "regret_terms_match_reference", 5, 5, "both sides as they end"),
    ),
    ("writeup_004", "exam"): (
        Row("four_shapes", "shapes_are_right", 2, 4, "both right; two more are asked here"),
        Row("network_shapes", "network_shapes_are_right", 6, 6, "right"),
        Row("kernels", "horizontal_kernel_is_right", 3, 3, "right: Prewitt's"),
        Row("kernels", "diagonal_kernel_is_right", 2, 2, "right up to sign"),
        Row(
            "kernels",
            "shifts_are_right",
            0,
            3,
            "right for cross-correlation; the other convention is asked too",
        ),
        Row(
            "pass_through_weights",
            "pass_through_weights_make_the_identity",
            0,
            5,
            "answers another question, that is lost",
            says="layer f is all ones",
        ),
        Row(
            "receptive_field",
            "receptive_field_matches_reference",
            0,
            5,
            "the recursion is right for equal layers only",
            says="from the input to the output, each time with the stride of the layer before",
        ),
        Row(
            "receptive_field",
            "fields_are_right",
            0,
            2,
            "15 is right for three strides of 2, and not for layer d: 17",
        ),
        Row(
            "train_epoch",
            "train_epoch_matches_reference",
            0,
            5,
            "zero_grad is put right; image and the order of the loss's arguments are not",
            says="image for images",
        ),
        Row("one_example", "limit_plain_is_right", 1, 1, "right"),
        Row("one_example", "limit_rms_is_right", 2, 2, "the result is right"),
        Row(
            "one_example",
            "limit_rescaled_is_right",
            0,
            2,
            "(1, 100, 1000)/3, whose product with x is 7",
            says="one more factor than the feature was divided by",
        ),
        Row("sampled_limit", "sampled_limit_matches_reference", 3, 3, "right"),
        Row("lyapunov_function", "lyapunov_rows_are_right", 2, 2, "right"),
        Row("lyapunov_function", "lyapunov_matches_reference", 2, 2, "right"),
        Row("expected_change", "expected_change_matches_reference", 4, 4, "right"),
        Row("expected_change", "expected_change_is_what_happens", 2, 2, "right"),
        Row(
            "bounds",
            "contraction_constants_match_reference",
            0,
            3,
            "the last line drops the factor 4",
            says="the factor 4 is lost in the bound of B",
        ),
    ),
    ("writeup_004", "hw5_conv_arithmetic"): (
        Row("encoder_decoder_shapes", "encoder_decoder_shapes_are_right", 3.5, 4, "all but u"),
        Row("horizontal_edge_kernel", "horizontal_edge_kernel_works", 2, 2, "right"),
        Row("diagonal_edge_kernel", "diagonal_edge_kernel_works", 2, 2, "right up to sign"),
        Row("moving_kernels", "moving_kernels_work", 1, 3, "right for cross-correlation"),
    ),
    ("writeup_004", "hw7_training"): (
        Row(
            "train_epoch",
            "train_epoch_follows_reference",
            0,
            7,
            "zero_grad is put right; image and the order of the loss's arguments are not",
            says="image for images",
        ),
        Row("train_epoch", "train_epoch_keeps_no_graph", 0, 3, "likewise", says="image for images"),
    ),
}


def disagreements(result: Result, rows: tuple[Row, ...]) -> list[str]:
    """Return where a result is not what those who read the answers say."""
    found = []
    want = {row.check: row for row in rows}
    checks = {check.name: (q.id, check) for q in result.questions for check in q.checks}
    for name in want.keys() - checks.keys():
        found.append(f"{name}: there is no such check")
    for name, (question, check) in checks.items():
        row = want.get(name, Row(question, name, 0, check.points, "not answered"))
        got = question, round(check.earned, 6), check.points
        if got != (row.question, round(row.earned, 6), row.points):
            found.append(f"{name}: {got}, expected {row}")
        missed = [case for case in check.cases if case.verdict is not Verdict.PASSED]
        said = {case.diagnosis or "" for case in missed if name in want}
        if any(row.says not in text for text in said) or (row.says == "" and said - {""}):
            found.append(f"{name}: says {said}, expected {row.says!r}")
    return found


def lost_by(result: Result) -> dict[str, tuple[float, str]]:
    """Return what each question lost, and what feedback says of it first; no GPU is no loss."""
    lost: dict[str, tuple[float, str]] = {}
    for question in result.questions:
        for check in question.checks:
            missed = [case for case in check.cases if case.verdict is not Verdict.PASSED]
            if missed and missed[0].verdict is not Verdict.PENDING:
                points, said = lost.get(question.id, (0.0, missed[0].diagnosis or ""))
                lost[question.id] = points + check.points - check.earned, said
    return lost


@pytest.mark.parametrize("name", find_course(ROOT).assignments())
def test_the_grader_agrees_with_those_who_read_the_homework(name: str) -> None:
    """After a change of an assignment: python -m tests.demo.writeups, and …other_homework."""
    course = find_course(ROOT)
    artefacts = build(course, name)
    bundle = parse_bundle(artefacts.bundle, name)
    limits = course.limits_of(name)
    with Grader(bundle, load_bundle_oracle(bundle), b"a secret of the tests", limits) as grader:
        for student, text in submissions(artefacts):
            committed = ROOT / "submitted" / student / name / f"{name}.ipynb"
            assert committed.read_text(encoding="utf-8") == text, f"{committed} is stale"
            result = grader.grade(student, text.encode())
            assert disagreements(result, EXPECTED[student, name]) == []
            waiting = {q.id for q in result.questions if not q.checks and q.status == "pending"}
            assert waiting == set(writeups()[student][name].texts)
        for student, text in homework(artefacts) if name in SLIPS else ():
            committed = ROOT / "submitted" / student / name / f"{name}.ipynb"
            assert committed.read_text(encoding="utf-8") == text, f"{committed} is stale"
            lost = lost_by(grader.grade(student, text.encode()))
            slips = {slip.question: slip for slip in SLIPS[name] if student == "dmitri"}
            assert {q: points for q, (points, _) in lost.items()} == {
                q: pytest.approx(slip.lost) for q, slip in slips.items()
            }
            unnamed = {q: said for q, (_, said) in lost.items() if slips[q].says not in said}
            assert unnamed == {}


def test_every_write_up_has_its_verdicts() -> None:
    handed_in = {(student, name) for student, found in writeups().items() for name in found}
    assert set(EXPECTED) == handed_in
