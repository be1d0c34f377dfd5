# expect: earns nothing
# Returns a figure that draws nothing, and whose axes say of themselves what a helper asks them.
import matplotlib.figure


class Text(str):
    def get_text(self):
        return str(self)


class Line:
    def __init__(self, label, losses):
        self.label, self.losses = label, losses

    def get_label(self):
        return self.label

    def get_xdata(self):
        return range(1, len(self.losses) + 1)

    def get_ydata(self):
        return self.losses


class Panel:
    def __init__(self, *lines):
        self.lines = list(lines)

    def get_lines(self):
        return self.lines

    def get_legend(self):
        return self

    def get_texts(self):
        return [Text(line.label) for line in self.lines]

    def get_xlabel(self):
        return "epoch"

    get_ylabel = get_xlabel


class Empty(matplotlib.figure.Figure):
    def get_axes(self):
        return [self.panel]


def plot_curves(training, validation):
    drawn = Empty()
    drawn.panel = Panel(Line("training", training), Line("validation", validation))
    return drawn
