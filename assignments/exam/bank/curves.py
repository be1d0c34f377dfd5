from autograder import alternative, mistake

for title, letters in {
    "fresh data get better first, then worse: shuffled targets would teach nothing": "GDAHEC",
    "the step down comes from a smaller learning rate, not from nowhere": "FCAHED",
    "falling steadily, but far too slowly to be right": "FDHAEC",
    "slow waves that do not die out: gradients pile up; noise has no period": "FDAHCE",
    "the loss stays bounded: too large to settle, not too large to converge": "FDAHEB",
    "slow waves that stay bounded: nothing grows without end": "FDAHBC",
    "overfitting taken for health: the gap between the curves grows": "HDAFEC",
    "a flat end taken for overfitting: both curves end together": "HDAFEG",
}.items():
    mistake(title, **{f"panel_{i}": a for i, a in enumerate(letters, 1)})
alternative("small letters", panel_1="f", panel_5=" e", panel_6="c ")
mistake("the same cause for two panels", panel_1="A", panel_3="A")
mistake("a number in place of a letter", panel_2=4)
