import numpy as np

from autograder import alternative, mistake


def early_stop_with(
    late=0, ties=False, base=1, swap=False, all_epochs=False, last=False, rise=False
):
    """Return an `early_stop` with some faults."""

    def early_stop(valid_losses, patience):
        best, stop, waited = 0, len(valid_losses) - 1, 0
        for epoch, loss in enumerate(valid_losses):
            previous = valid_losses[max(epoch - 1, 0)] if rise else valid_losses[best]
            if epoch == 0 or loss < previous or (ties and loss == previous):
                best, waited = epoch, 0
                continue
            waited += 1
            if waited >= patience + late:
                stop = epoch
                break
        if all_epochs:
            best = int(np.argmin(valid_losses))
        if rise:
            best = int(np.argmin(valid_losses[: stop + 1]))
        if last:
            best = stop
        return (best + base, stop + base) if swap else (stop + base, best + base)

    return early_stop


mistake("one epoch too patient: > where >= is meant", early_stop=early_stop_with(late=1))
mistake(
    "an epoch as good as the best is taken for a new best", early_stop=early_stop_with(ties=True)
)
mistake("epochs are counted from 0", early_stop=early_stop_with(base=0))
mistake("last and best epoch in the wrong order", early_stop=early_stop_with(swap=True))
mistake(
    "the best of all epochs, also of those after the end",
    early_stop=early_stop_with(all_epochs=True),
)
mistake("the last epoch is taken for the best", early_stop=early_stop_with(last=True))
mistake(
    "compares with the epoch before, not with the best so far",
    early_stop=early_stop_with(rise=True),
)


@mistake("never stops")
def _(valid_losses, patience):
    return len(valid_losses), int(np.argmin(valid_losses)) + 1


@alternative("running minima, by NumPy")
def _(valid_losses, patience):
    losses = np.asarray(valid_losses)
    lowest = np.minimum.accumulate(losses)
    best = np.array([int(np.argmin(losses[: k + 1])) for k in range(len(losses))])
    assert (lowest == losses[best]).all()
    over = np.flatnonzero(np.arange(len(losses)) - best >= patience)
    stop = int(over[0]) if len(over) else len(losses) - 1
    return stop + 1, int(best[stop]) + 1


alternative("a counter of epochs without a new best", early_stop=early_stop_with())
