from autograder import alternative, mistake

mistake("the Laplacian taken for a blur: its weights add up to zero", laplacian_effect="A")
mistake(
    "the Laplacian taken for Q: only Q keeps flat regions as they are",
    laplacian_effect="C",
)
mistake(
    "the Laplacian answers to edges of every direction, rows and columns alike",
    laplacian_effect="D",
)
mistake(
    "Q taken for a blur: its weights add up to one, but its neighbours count negatively",
    q_effect="A",
)
mistake(
    "Q taken for the Laplacian: its weights add up to one, so flat regions stay",
    q_effect="F",
)
mistake(
    "rows and columns exchanged: R has equal columns, so it cannot see what columns differ in",
    r_effect="E",
)
mistake("R taken for a shift: a shift has a single weight", r_effect="B")
mistake("R is silent on flat regions: its weights add up to zero", r_effect="C")
mistake("all three letters in one text", laplacian_effect="FCD")
alternative("small letters", laplacian_effect="f", q_effect=" c", r_effect="d ")
