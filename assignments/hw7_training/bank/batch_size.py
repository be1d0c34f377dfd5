import numpy as np

from autograder import alternative, mistake


@mistake("the linear rule for both", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    return lr * new_batch_size / batch_size


@mistake("the square root for both", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    return lr * np.sqrt(new_batch_size / batch_size)


@mistake("a larger batch allows a larger learning rate, not a smaller", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    ratio = batch_size / new_batch_size
    return lr * (ratio if rule == "linear" else ratio**0.5)


mistake(
    "the two rules are swapped",
    of="scaled_lr",
    edit=(
        'ratio if rule == "linear" else math.sqrt(ratio)',
        'ratio if rule == "sqrt" else ratio**0.5',
    ),
)


@mistake("the learning rate is left as it was", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    return lr


@mistake("whole batches only: the quotient is rounded down", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    ratio = new_batch_size // batch_size
    return lr * (ratio if rule == "linear" else ratio**0.5)


@alternative("a power of the quotient", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    return lr * (new_batch_size / batch_size) ** {"linear": 1.0, "sqrt": 0.5}[rule]


@alternative("through logarithms", of="scaled_lr")
def _(lr, batch_size, new_batch_size, rule):
    distance = np.log(new_batch_size) - np.log(batch_size)
    return np.exp(np.log(lr) + (distance / 2 if rule == "sqrt" else distance))


def noise_with(
    biased=False, quotients=False, swap=False, no_trace=False, inverse=False, sign=1, root=False
):
    """Return a `noise_scale` with some faults."""

    def estimate(small, big, b, B):
        signal = big if biased else (B * big - b * small) / (B - b)
        trace = sign * (small - big) / (1 / b - 1 / B)
        trace = trace / b if no_trace else trace
        if root:
            signal, trace = np.sqrt(signal), np.sqrt(trace)
        result = (signal, trace, signal / trace if inverse else trace / signal)
        return (result[1], result[0], result[2]) if swap else result

    def noise_scale(small_squares, big_squares, small_batch, big_batch):
        if quotients:
            pairs = zip(small_squares, big_squares, strict=False)
            every = [estimate(s, g, small_batch, big_batch) for s, g in pairs]
            return tuple(float(np.mean(one)) for one in zip(*every, strict=True))
        means = float(np.mean(small_squares)), float(np.mean(big_squares))
        return estimate(*means, small_batch, big_batch)

    return noise_scale


mistake(
    "the big batch is taken for the true gradient: it is noisy as well",
    noise_scale=noise_with(biased=True),
)
mistake(
    "the mean of quotients: a quotient of means is asked for",
    noise_scale=noise_with(quotients=True),
)
mistake("signal and noise in the wrong order", noise_scale=noise_with(swap=True))
mistake(
    "the noise of a small batch, not of a single example", noise_scale=noise_with(no_trace=True)
)
mistake("signal over noise, not noise over signal", noise_scale=noise_with(inverse=True))
mistake(
    "the sign of the noise: small batches have the longer gradients",
    noise_scale=noise_with(sign=-1),
)
mistake("lengths, not squares", noise_scale=noise_with(root=True))


@mistake("sums in place of means over the measurements", of="noise_scale")
def _(small_squares, big_squares, small_batch, big_batch):
    small, big = np.sum(small_squares), np.sum(big_squares)
    signal = (big_batch * big - small_batch * small) / (big_batch - small_batch)
    trace = 2 * (small - big) / (1 / small_batch - 1 / big_batch)
    return signal, trace, trace / signal


@alternative("two linear equations", of="noise_scale")
def _(small_squares, big_squares, small_batch, big_batch):
    matrix = np.array([[1, 1 / small_batch], [1, 1 / big_batch]])
    means = [np.mean(small_squares), np.mean(big_squares)]
    signal, trace = np.linalg.solve(matrix, means)
    return signal, trace, trace / signal


@alternative("noise first, then what is left", of="noise_scale")
def _(small_squares, big_squares, small_batch, big_batch):
    difference = sum(small_squares) / len(small_squares) - sum(big_squares) / len(big_squares)
    trace = difference * small_batch * big_batch / (big_batch - small_batch)
    signal = sum(big_squares) / len(big_squares) - trace / big_batch
    return [signal, trace, trace / signal]


@mistake("the slope is the product of both numbers", of="critical_batch")
def _(batch_sizes, steps):
    slope, height = np.polyfit(1 / batch_sizes, steps, 1)
    return float(height), float(slope)


@mistake("slope and height mixed up", of="critical_batch")
def _(batch_sizes, steps):
    height, slope = np.polyfit(1 / batch_sizes, steps, 1)
    return float(height), float(slope / height)


@mistake("a line over B, not over one divided by B", of="critical_batch")
def _(batch_sizes, steps):
    slope, height = np.polyfit(batch_sizes.astype(float), steps, 1)
    return float(height), float(slope / height)


@mistake("the numbers in the wrong order", of="critical_batch")
def _(batch_sizes, steps):
    slope, height = np.polyfit(1 / batch_sizes, steps, 1)
    return float(slope / height), float(height)


@mistake("the fewest steps that were measured, not of the model", of="critical_batch")
def _(batch_sizes, steps):
    fewest = float(np.min(steps))
    return fewest, float(np.mean((steps / fewest - 1) * batch_sizes))


@mistake("a line through the first and the last run only", of="critical_batch")
def _(batch_sizes, steps):
    x = 1 / batch_sizes
    slope = (steps[0] - steps[-1]) / (x[0] - x[-1])
    height = steps[0] - slope * x[0]
    return float(height), float(slope / height)


@mistake("the examples are fitted, which weighs the runs otherwise", of="critical_batch")
def _(batch_sizes, steps):
    fewest, offset = np.polyfit(batch_sizes.astype(float), steps * batch_sizes, 1)
    return float(fewest), float(offset / fewest)


@alternative("the normal equations of the straight line", of="critical_batch")
def _(batch_sizes, steps):
    A = np.stack([np.ones(len(steps)), 1 / np.asarray(batch_sizes)], axis=1)
    fewest, slope = np.linalg.solve(A.T @ A, A.T @ steps)
    return fewest, slope / fewest


@alternative("covariance over variance", of="critical_batch")
def _(batch_sizes, steps):
    x = 1.0 / np.asarray(batch_sizes, dtype=float)
    slope = ((x - x.mean()) * (steps - steps.mean())).sum() / ((x - x.mean()) ** 2).sum()
    fewest = steps.mean() - slope * x.mean()
    return [fewest, slope / fewest]
