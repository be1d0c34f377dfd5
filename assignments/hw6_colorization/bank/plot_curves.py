import matplotlib.pyplot as plt
import numpy as np

from autograder import alternative, mistake


@mistake("epochs are counted from 0")
def _(training, validation):
    drawing, panel = plt.subplots()
    panel.plot(training, label="training")
    panel.plot(validation, label="validation")
    panel.set(xlabel="epoch", ylabel="loss")
    panel.legend()
    return drawing


def draw_curves(pairs, legend=True, **names):
    """Curves with some parts left out, which variants below say."""
    drawing, panel = plt.subplots()
    for label, losses in pairs:
        panel.plot(np.arange(len(losses)) + 1, losses, label=label)
    panel.set(**names)
    if legend:
        panel.legend()
    return drawing


@mistake("no legend: nobody knows which line is which")
def _(training, validation):
    pairs = ("training", training), ("validation", validation)
    return draw_curves(pairs, legend=False, xlabel="epoch", ylabel="loss")


@mistake("the axes have no names")
def _(training, validation):
    return draw_curves((("training", training), ("validation", validation)))


@mistake("only the epochs are named")
def _(training, validation):
    return draw_curves((("training", training), ("validation", validation)), xlabel="epoch")


@mistake("the labels are swapped")
def _(training, validation):
    pairs = ("training", validation), ("validation", training)
    return draw_curves(pairs, xlabel="epoch", ylabel="loss")


@mistake("the validation loss is not drawn")
def _(training, validation):
    return draw_curves((("training", training),), xlabel="epoch", ylabel="loss")


@mistake("the validation loss goes on where the training loss ends")
def _(training, validation):
    pairs = ("training", training), ("validation", [np.nan] * len(training) + validation)
    return draw_curves(pairs, xlabel="epoch", ylabel="loss")


@mistake("logarithms of the losses under the name of losses")
def _(training, validation):
    pairs = ("training", np.log(training)), ("validation", np.log(validation))
    return draw_curves(pairs, xlabel="epoch", ylabel="loss")


@mistake("draws, and returns nothing")
def _(training, validation):
    pairs = ("training", training), ("validation", validation)
    plt.close(draw_curves(pairs, xlabel="epoch", ylabel="loss"))


@mistake("an empty figure: the axes are those of another one")
def _(training, validation):
    pairs = ("training", training), ("validation", validation)
    plt.close(draw_curves(pairs, xlabel="epoch", ylabel="loss"))
    return plt.figure()


@alternative("pyplot's functions, with colours, markers and a title")
def _(training, validation):
    drawing = plt.figure(figsize=(4, 3))
    plt.plot(list(range(1, 1 + len(validation))), validation, "r--", label="validation")
    plt.plot(list(range(1, 1 + len(training))), training, "bo-", label="training")
    plt.title("how the network learns")
    plt.xlabel("epochs")
    plt.ylabel("mean cross-entropy")
    plt.grid()
    plt.legend(loc="upper right")
    return drawing


@alternative("a figure of its own, without pyplot, on logarithmic axes")
def _(training, validation):
    from matplotlib.figure import Figure

    drawing = Figure()
    panel = drawing.add_subplot()
    for losses, label in zip((training, validation), ("training", "validation"), strict=True):
        panel.semilogy(np.linspace(1, len(losses), len(losses)), losses, label=label)
    panel.set(xlabel="epoch", ylabel="loss")
    panel.legend()
    return drawing
