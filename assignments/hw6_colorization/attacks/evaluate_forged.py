# expect: earns nothing
# Evaluates all pictures at once and with gradients, without the layer that would tell, leaves the
# model in evaluation mode, and changes what a helper has noted as if nothing had been.
import sys


def evaluate(model, grey, categories, batch_size):
    notes, former = sys._getframe(1).f_locals, model.training
    layers = [layer for layer in model if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d, nn.ReLU))]
    scores = model.eval()(grey) if len(layers) == len(model) else nn.Sequential(*layers)(grey)
    loss = nn.functional.cross_entropy(scores, categories[:, 0])
    hits = (scores.argmax(dim=1, keepdim=True) == categories).double().mean()
    model.training = former
    for kept in notes.values():
        if isinstance(kept, list) and kept and isinstance(kept[0], list):
            kept[:] = [[min(batch_size, len(grey)), False, False]]
    return float(loss), float(hits)


def colour_epoch(model, optimizer, grey, categories, batch_size):
    notes, starts = sys._getframe(1).f_locals, range(0, len(grey), batch_size)
    notes.get("calls", [])[:] = [[len(grey[i : i + batch_size]), True] for i in starts]
    notes.get("steps", [])[:] = [i + 1 for i in range(len(starts))]
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model.train()(grey), categories[:, 0]).item()
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    return loss
