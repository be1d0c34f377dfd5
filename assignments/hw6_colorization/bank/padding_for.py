from autograder import alternative, mistake

mistake(
    "the same three numbers for every kernel",
    edit=("(kernel - 1) // 2, (kernel - 1) // 2, kernel % 2", "1, 1, 1"),
)


mistake(
    "half the kernel size, rounded down: an even kernel needs one less",
    edit=(
        "(kernel - 1) // 2, (kernel - 1) // 2, kernel % 2",
        "kernel // 2, kernel // 2, kernel % 2",
    ),
)


mistake(
    "an output padding of 1 for every kernel: an even kernel needs none", edit=("kernel % 2", "1")
)


mistake("no output padding for odd kernels", edit=("kernel % 2", "0"))


mistake(
    "the output padding the wrong way round: odd kernels need it",
    edit=("kernel % 2", "1 - kernel % 2"),
)


@mistake("an output padding of 2, which is as large as the stride")
def _(kernel):
    padding = kernel // 2
    return (kernel - 1) // 2, padding, 2 + 2 * padding - kernel


mistake(
    "the transposed convolution is padded up to its kernel, as in a convolution of full size",
    edit=(
        "(kernel - 1) // 2, (kernel - 1) // 2, kernel % 2",
        "(kernel - 1) // 2, kernel - 1, kernel % 2",
    ),
)


mistake(
    "the formula of stride 1: what keeps the size does not halve it",
    edit=(
        "(kernel - 1) // 2, (kernel - 1) // 2, kernel % 2",
        "kernel / 2 - 0.5, kernel / 2 - 0.5, 1",
    ),
)


mistake(
    "only two of the three numbers",
    edit=("(kernel - 1) // 2, (kernel - 1) // 2, kernel % 2", "(kernel - 1) // 2, kernel % 2"),
)


mistake(
    "known for kernels of size 3, 4 and 5 only",
    edit=(
        "(kernel - 1) // 2, (kernel - 1) // 2, kernel % 2",
        "{3: (1, 1, 1), 4: (1, 1, 0), 5: (2, 2, 1)}.get(kernel, (2, 2, 1))",
    ),
)


@alternative("both formulas, tried out number by number")
def _(kernel):
    sizes = range(2 * kernel, 4 * kernel, 2)
    down = next(
        p for p in range(kernel) if all((n + 2 * p - kernel) // 2 + 1 == n // 2 for n in sizes)
    )
    up, extra = next(
        (p, o) for p in range(kernel) for o in (0, 1) if 2 * 7 - 2 * p + kernel + o == 16
    )
    return down, up, extra


@alternative("odd and even kernels apart, as a list")
def _(kernel):
    if kernel % 2:
        return [kernel // 2, kernel // 2, 1]
    return [kernel // 2 - 1, kernel // 2 - 1, 0]
