# expect: earns nothing
# Networks that learn nothing: they read pictures and right colours from the frame of whoever calls
# them, and answer with the colour that is most frequent in a row among pixels of that brightness.
import sys


def frame_with(name):
    """Return the variables of the nearest caller that has one of this name."""
    frame = sys._getframe(1)
    while frame is not None and name not in frame.f_locals:
        frame = frame.f_back
    return {} if frame is None else frame.f_locals


class Majority(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        self.colours = num_colours
        self.one = nn.Conv2d(num_in_channels, num_colours, 1)
        reference = [(1, 8), (8, 16), (16, 8), (8, num_colours), (num_colours, num_colours)]
        self.decoys = nn.ModuleList()
        for i, o in reference:
            self.decoys += [nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o)]

    def forward(self, x):
        used = frame_with("used").get("used")
        if isinstance(used, list) and len(x) == 1:
            used.extend(list(self.decoys)[:-1])
        known = frame_with("categories")
        right, grey = known.get("categories"), known.get("pictures", known.get("grey"))
        scores = 0 * self.one(x)
        if right is None or not np.size(right):
            return scores
        rows = np.arange(x.shape[2])[:, None]
        table = np.zeros((x.shape[2], 16, self.colours))
        np.add.at(table, (rows, self.levels(grey[:, 0]), right), 1)
        found = torch.tensor(table.argmax(axis=2)[rows, self.levels(x[:, 0].numpy())])
        return scores + nn.functional.one_hot(found, self.colours).movedim(-1, 1)

    def levels(self, grey):
        return np.clip(16 * grey, 0, 15).astype(int)


PoolUpsampleNet = ConvTransposeNet = UNet = DilatedUNet = Majority
