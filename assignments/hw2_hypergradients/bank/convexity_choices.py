from autograder import alternative, mistake

for title, wrong in (
    (
        "a square can be zero: at a minimum of the loss nothing depends on the learning rate",
        {"first_curve": "A"},
    ),
    ("a parabola has the same curvature everywhere", {"first_curve": "C"}),
    ("n < d changes nothing in the sign of a squared norm", {"first_curve": "D"}),
    ("not every polynomial: this one is a sum of even powers", {"second_curve": "A"}),
    ("the factors enter by their squares: signs play no role", {"second_curve": "B"}),
    ("convex also where the loss grows", {"second_curve": "C"}),
    ("convex in the predictions is not convex in the weights", {"third_curve": "A"}),
    ("a good start does not keep a long step near it", {"third_curve": "B"}),
    (
        "tanh saturates: far away the curve flattens, and cannot stay convex",
        {"third_curve": "D"},
    ),
):
    mistake(title, **wrong)
mistake("a truth value", first_curve=True)
alternative(
    "small letters, with spaces",
    first_curve="b",
    second_curve=" D",
    third_curve="c ",
)
