from autograder import alternative, mistake

mistake(
    "Q taken for a blur: its weights add up to one, but its neighbours count negatively",
    kernel_effects="FAD",
)
mistake(
    "rows and columns exchanged: R has equal columns, so it cannot see what columns differ in",
    kernel_effects="FCE",
)
mistake(
    "the Laplacian and Q exchanged: only Q keeps flat regions as they are", kernel_effects="CFD"
)
mistake("in another order: Laplacian, Q, R", kernel_effects="DCF")
mistake("R taken for a shift: a shift has a single weight", kernel_effects="FCB")
mistake("one letter for three kernels", kernel_effects="A")
alternative(
    "small letters with commas",
    kernel_effects="f, c, d",
)
