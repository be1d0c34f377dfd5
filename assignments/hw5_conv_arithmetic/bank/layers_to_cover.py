import itertools

from autograder import alternative, mistake


@mistake("every layer adds the same: strides multiply the distances of all that follows")
def _(side, kernel_size, stride):
    return -((1 - side) // ((kernel_size - 1) * stride))


@mistake("strides are not used")
def _(side, kernel_size, stride):
    return -((1 - side) // (kernel_size - 1))


@mistake("one layer too many where the field fits exactly")
def _(side, kernel_size, stride):
    count, field = 0, 1
    while field <= side:
        field += (kernel_size - 1) * stride**count
        count += 1
    return count


@mistake("one layer too few: the field does not reach the side")
def _(side, kernel_size, stride):
    count, field = 0, 1
    while field < side:
        field += (kernel_size - 1) * stride**count
        count += 1
    return max(count - 1, 0)


@mistake("the first layer has its stride counted already")
def _(side, kernel_size, stride):
    count, field = 0, 1
    while field < side:
        count += 1
        field += (kernel_size - 1) * stride**count
    return count


@mistake("at least one layer: a single pixel takes none")
def _(side, kernel_size, stride):
    count, field = 1, kernel_size
    while field < side:
        field += (kernel_size - 1) * stride**count
        count += 1
    return count


@mistake("kernels are added, as if their windows did not overlap")
def _(side, kernel_size, stride):
    count, field = 0, 1
    while field < side:
        field += kernel_size * stride**count
        count += 1
    return count


@alternative("the field as a geometric sum")
def _(side, kernel_size, stride):
    counts = itertools.count()
    return next(
        n for n in counts if 1 + (kernel_size - 1) * sum(stride**i for i in range(n)) >= side
    )


@alternative("what is still missing, in steps of the top layer")
def _(side, kernel_size, stride):
    missing, step, count = side - 1, kernel_size - 1, 0
    while missing > 0:
        missing, step, count = missing - step, step * stride, count + 1
    return count


@alternative("from the top down: the field of one layer more")
def _(side, kernel_size, stride):
    count, field = 0, 1
    while field < side:
        count, field = count + 1, stride * (field - 1) + kernel_size
    return count
