from autograder import alternative, mistake
from reference.answers.autodiff import descent_statements

for letter, misconception in (
    ("A", "without any steps: the left side is zero, and a term with w* remains on the right"),
    ("B", "Jensen's inequality taken for an equality"),
    ("C", "a stronger proximity term keeps nearer to the point"),
    ("D", "a convex function lies above its tangents, not below"),
    ("E", "with a fixed step size a part of the bound stays, however large T is"),
    ("F", "at the minimum of the sum every step leads away from it"),
    ("G", "the descent lemma: a parabola of curvature L lies above f and touches it"),
    ("H", "the rate is one over the root of T"),
):
    changed = "".join(sorted(set(descent_statements) ^ {letter}))
    mistake(misconception, descent_statements=changed)
alternative(
    "a list of letters",
    descent_statements=list(descent_statements),
)
mistake("a list of truth values, not a text", descent_statements=[True, False])
mistake("an empty text", descent_statements="")
mistake("a sentence, not letters", descent_statements="A and C are true")
mistake("all statements are taken for true", descent_statements="ABCDEFGH")
alternative(
    "with blanks, and one letter twice",
    descent_statements=" ".join(descent_statements + descent_statements[0]),
)
