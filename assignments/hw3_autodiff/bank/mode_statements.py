from autograder import alternative, mistake
from reference.answers.autodiff import mode_statements

for letter, misconception in (
    ("A", "few outputs: reverse mode takes a sweep for each output, not for each input"),
    ("B", "the uses of x: one by the second product, and two by the first"),
    ("C", "forward mode: what is not used any more can be dropped with its tangent"),
    ("D", "one input and many outputs: that is a case for forward mode"),
    ("E", "memory: the reverse sweep needs the points at which it differentiates"),
    ("F", "the order of making: every parent is made before its child"),
    ("G", "Hessian times vector: a directional derivative of the gradient"),
    ("H", "a product from both sides: begin at either end"),
):
    changed = "".join(sorted(set(mode_statements) ^ {letter}))
    mistake(misconception, mode_statements=changed)
alternative(
    "a tuple of letters",
    mode_statements=tuple(mode_statements.lower()),
)
mistake("a list of truth values, not a text", mode_statements=[True, False])
mistake("an empty text", mode_statements="")
mistake("a sentence, not letters", mode_statements="A and C are true")
mistake("all statements are taken for true", mode_statements="ABCDEFGH")
alternative(
    "with commas",
    mode_statements=", ".join(mode_statements),
)
