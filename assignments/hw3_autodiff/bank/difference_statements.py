from autograder import alternative, mistake
from reference.answers.autodiff import difference_statements

# Each wrong judgement alone; the letter is added to the right answer, or taken from it.
for letter, misconception in (
    ("A", "ever smaller steps: rounding wins in the end"),
    ("B", "the forward scheme: its error is proportional to the step"),
    ("C", "the central scheme: its error falls with the square of the step"),
    ("D", "the central scheme: the error begins with the third derivative"),
    ("E", "the kink: one scheme looks to one side only, the other to both"),
    ("F", "the number of evaluations: two for each input, each of which gives all outputs"),
    ("G", "the chord of a convex function beside its tangent"),
    ("H", "the best step: a smaller truncation error allows a larger one"),
):
    changed = "".join(sorted(set(difference_statements) ^ {letter}))
    mistake(misconception, difference_statements=changed)

alternative(
    "a list of letters",
    difference_statements=list(difference_statements),
)
mistake("a list of truth values, not a text", difference_statements=[True, False])
mistake("an empty text", difference_statements="")
mistake("a sentence, not letters", difference_statements="A and C are true")

mistake("all statements are taken for true", difference_statements="ABCDEFGH")

alternative(
    "small letters, in another order",
    difference_statements=difference_statements[::-1].lower(),
)
