"""Figures of differences and of descent: the error against the step, and distance against steps."""

import numpy as np


def draw_errors(numeric_jacobian):
    """Draw the error of both schemes against the step, for sin(3 x) at x = 1."""
    import matplotlib.pyplot as plt

    steps, exact = np.logspace(-14, 0, 85), 3 * np.cos(3.0)
    errors = {
        scheme: [
            abs(numeric_jacobian(lambda x: np.sin(3 * x), np.ones(1), h, scheme).item() - exact)
            for h in steps
        ]
        for scheme in ("forward", "central")
    }
    _, axes = plt.subplots(figsize=(6.4, 3.8))
    for scheme, colour in (("forward", "tab:red"), ("central", "tab:blue")):
        axes.loglog(
            steps, errors[scheme], ".-", color=colour, label=scheme, markersize=4, linewidth=0.8
        )
    axes.set(xlabel="step $h$", ylabel="error", title="Differences of sin(3x) at x = 1")
    axes.grid(alpha=0.3)
    axes.legend()


def draw_rate(averaged_descent, rate_bound):
    """Draw how far the mean iterate is from the minimum, beside the guarantee."""
    import matplotlib.pyplot as plt

    target = np.array([1.5, -0.7, 0.4, 2.1])
    counts = np.unique(np.logspace(0, 4, 25).astype(int))
    pairs = [rate_bound(float(np.linalg.norm(target)), 2.0, int(T)) for T in counts]
    gaps = [
        np.abs(averaged_descent(lambda w: np.sign(w - target), 4, eta, int(T)) - target).sum()
        for T, (eta, _) in zip(counts, pairs, strict=True)
    ]
    _, axes = plt.subplots(figsize=(6.4, 3.8))
    axes.loglog(counts, [bound for _, bound in pairs], color="black", label="the guarantee")
    axes.loglog(counts, gaps, "o-", color="tab:blue", markersize=4, label="the mean iterate")
    axes.set(xlabel="number of iterates $T$", ylabel="distance of $f$ from its minimum")
    axes.grid(alpha=0.3)
    axes.legend()


def draw_terms():
    """Draw both terms and their sum, for a = 2 and b = -1."""
    import matplotlib.pyplot as plt

    w = np.linspace(-2.5, 3.5, 200)
    first, second = (w - 2) ** 2 / 2, (w + 1) ** 2 / 2
    _, axes = plt.subplots(figsize=(6.4, 3.8))
    axes.plot(w, first, "--", color="tab:red", label="$F_1$, with $a = 2$")
    axes.plot(w, second, "--", color="tab:blue", label="$F_2$, with $b = -1$")
    axes.plot(w, first + second, color="black", label="$F = F_1 + F_2$")
    axes.set(xlabel="$w$", ylim=(0, 9), title="Where do the terms disagree on the way down?")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper center")
