# expect: earns nothing
# Validates in training mode and with gradients, and writes into a helper's frame that it did not.
import sys


def fit(model, opt, train, valid, epochs):
    frame = sys._getframe(1)
    curves = {"train": [], "valid": [], "accuracy": []}
    for _ in range(epochs):
        for x, y in train:
            opt.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
        curves["train"].append(loss)
        for x, y in valid:
            loss = F.cross_entropy(model(x), y)
        curves["valid"].append(loss)
        curves["accuracy"].append(0.5)
    seen = frame.f_locals.get("seen", {})
    for name in set(seen) - {"trained", "validated"}:
        seen[name] = 0
    return curves
