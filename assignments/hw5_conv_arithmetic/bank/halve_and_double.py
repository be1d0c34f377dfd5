import itertools

from autograder import alternative, mistake


@mistake("the padding of a kernel of three, whatever the kernel")
def _(kernel_size):
    return 1, 1, 1


@mistake("half the kernel, which is one too much if the kernel is even")
def _(kernel_size):
    return kernel_size // 2, kernel_size // 2, kernel_size % 2


@mistake("no output padding, so that odd kernels come out one short")
def _(kernel_size):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2, 0


@mistake("output padding for even kernels too, which come out too large")
def _(kernel_size):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2, 1


@mistake("the output padding is that of the other parity")
def _(kernel_size):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2, 1 - kernel_size % 2


@mistake("the transposed convolution gets more padding than it needs")
def _(kernel_size):
    return (kernel_size - 1) // 2, kernel_size // 2, kernel_size % 2


@mistake("only for kernels of three, four and five")
def _(kernel_size):
    return {3: (1, 1, 1), 4: (1, 1, 0), 5: (2, 2, 1)}[kernel_size]


@mistake("the one padding without the other two")
def _(kernel_size):
    return (kernel_size - 1) // 2


@alternative("by trying out")
def _(kernel_size):
    for p, q, e in itertools.product(range(kernel_size), range(kernel_size), (0, 1)):
        halved = (20 + 2 * p - kernel_size) // 2 + 1
        doubled = (10 - 1) * 2 - 2 * q + kernel_size + e
        if halved == 10 and doubled == 20:
            return p, q, e
    return None


@alternative("from the output padding")
def _(kernel_size):
    odd = kernel_size & 1
    return [(kernel_size - 2 + odd) // 2] * 2 + [odd]
