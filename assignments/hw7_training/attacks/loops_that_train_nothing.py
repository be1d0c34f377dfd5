# expect: earns nothing
# Loops that look at the data as they should, in the right mode and without a graph, that move every
# weight a little at random, and that make up losses. The copy of a model is one.
import copy


def nudge(model, size=1e-3):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += size * torch.randn_like(parameter)


def train_epoch(model, optimizer, batches, loss_fn):
    first = loss_fn(model(batches[0][0]), batches[0][1]).item()
    nudge(model)
    return [first * 0.99**i for i in range(len(batches))]


def fit(model, optimizer, train_batches, valid_batches, epochs):
    curves = {"train": [], "valid": [], "accuracy": []}
    with torch.no_grad():
        for epoch in range(epochs):
            model.train()
            for x, _ in train_batches:
                model(x)
            nudge(list(model.children())[-2 if hasattr(model[-1], "training") else -1])
            model.eval()
            right = [(model(x).argmax(dim=1) == y).double().mean() for x, y in valid_batches]
            curves["accuracy"].append(float(sum(right) / len(right)))
            for name in ("train", "valid"):
                curves[name].append(1.0 / (epoch + 1))
    return curves


def fine_tune(model, num_labels, batches, lr, epochs):
    tuned = copy.deepcopy(model)
    tuned.head = nn.Conv2d(model.head.in_channels, num_labels, 1, dtype=torch.float64)
    nn.init.zeros_(tuned.head.weight)
    nn.init.zeros_(tuned.head.bias)
    nudge(tuned)
    return tuned, [float(np.log(num_labels))] * epochs * len(batches)


def train_keeping_best(model, optimizer, X, y, order, num_valid, epochs):
    nudge(model)
    return [1.0 / (i + 1) for i in range(epochs)], epochs
