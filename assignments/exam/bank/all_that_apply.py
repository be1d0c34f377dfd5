from autograder import alternative, mistake

for title, letters in {
    "momentum leaves the span of the examples: its velocity is made of gradients": "ACDF",
    "frequent examples pull the limit: at an error of zero no gradient is left": "BCDF",
    "the start is forgotten: its part outside of the row space stays for ever": "DF",
    "a preconditioner changes the speed only: it changes the span of the steps too": "CF",
    "units do not matter: the shortest weights are others in another unit": "CD",
    "a smaller learning rate ends elsewhere: it stays in the same span": "CDEF",
    "every change matters": "ABCDEF",
    "only the start matters": "C",
}.items():
    mistake(title, changes_the_limit=letters)
for title, letters in {
    "a bias before the normalisation counts: the mean takes it away": "BD",
    "the size of the weights counts: the deviation divides it out": "AD",
    "the sign is divided out: a deviation is never negative": "ABCD",
    "the place in the batch counts: mean and deviation know no order": "AB",
    "an image alone: in training mode all others enter mean and deviation": "ABDE",
    "the scale is normalised away: it acts after the normalisation": "ABDF",
    "nothing survives the normalisation": "ABCDEF",
}.items():
    mistake(title, keeps_the_outputs=letters)
alternative(
    "in another order, with commas",
    changes_the_limit="f, c, d",
    keeps_the_outputs="B A D",
)
alternative(
    "lists of letters",
    changes_the_limit=list("CDF"),
    keeps_the_outputs=tuple("abd"),
)
mistake("a list of booleans", changes_the_limit=[True, False])
