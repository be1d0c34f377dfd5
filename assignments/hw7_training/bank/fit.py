import numpy as np
import torch
from assignment import broken_fit
from torch.nn import functional as F

from autograder import alternative, mistake


def fit_with(
    once=False,
    no_eval=False,
    twice=False,
    valid_twice=False,
    of_batches=False,
    valid_of_batches=False,
    graphs=False,
    valid_graphs=False,
    gradients=False,
    no_zero=False,
    swapped=False,
    accuracy_of_train=False,
    before=False,
    trains_on_valid=False,
    wrong_axis=False,
    last_batch_only=False,
    re_measured=False,
):
    """Return a `fit` with some faults."""

    def fit(model, optimizer, train_batches, valid_batches, epochs):
        curves = {"train": [], "valid": [], "accuracy": []}

        def validate():
            if not no_eval:
                model.eval()
            losses, sizes, right = [], [], []
            with torch.set_grad_enabled(gradients or valid_graphs or graphs):
                for inputs, labels in train_batches if accuracy_of_train else valid_batches:
                    out = model(inputs)
                    given = out.softmax(dim=1) if twice or valid_twice else out
                    losses.append(F.cross_entropy(given, labels))
                    sizes.append(len(labels))
                    axis = 0 if wrong_axis else 1
                    found = out.argmax(dim=axis)
                    right.append(int((found[: len(labels)] == labels[: len(found)]).sum()))
            if of_batches or valid_of_batches:
                value = sum(losses) / len(losses)
                share = sum(r / n for r, n in zip(right, sizes, strict=True)) / len(sizes)
            elif last_batch_only:
                value, share = losses[-1], right[-1] / sizes[-1]
            else:
                value = sum(one * n for one, n in zip(losses, sizes, strict=True)) / sum(sizes)
                share = sum(right) / sum(sizes)
            curves["valid"].append(value if graphs or valid_graphs else float(value))
            curves["accuracy"].append(share)

        if once:
            model.train()
        for _ in range(epochs):
            if before:
                validate()
            if not once:
                model.train()
            losses, sizes = [], []
            pairs = [*train_batches, *valid_batches] if trains_on_valid else train_batches
            for inputs, labels in pairs:
                if not no_zero:
                    optimizer.zero_grad()
                out = model(inputs)
                out = out.softmax(dim=1) if twice else out
                target = F.one_hot(labels, out.shape[1]).to(out.dtype)
                loss = F.cross_entropy(target, out) if swapped else F.cross_entropy(out, labels)
                loss.backward()
                optimizer.step()
                if re_measured:
                    loss = F.cross_entropy(model(inputs), labels)
                losses.append(loss)
                sizes.append(len(labels))
            if of_batches:
                value = sum(losses) / len(losses)
            elif last_batch_only:
                value = losses[-1]
            else:
                value = sum(one * n for one, n in zip(losses, sizes, strict=True)) / sum(sizes)
            curves["train"].append(value if graphs else float(value))
            if not before:
                validate()
        return curves

    return fit


mistake(
    "the loop as it was handed out, with all its faults",
    fit=broken_fit,
)
mistake(
    "training mode is never set again: later epochs train in evaluation mode",
    fit=fit_with(once=True),
)
mistake(
    "evaluation mode is never set: validation data get into the running statistics",
    fit=fit_with(no_eval=True),
)
mistake("a softmax before the cross-entropy, which takes one itself", fit=fit_with(twice=True))
mistake("a softmax before the cross-entropy in validation", fit=fit_with(valid_twice=True))
mistake(
    "means of batch means: a small batch counts as much as a large one",
    fit=fit_with(of_batches=True),
)
mistake(
    "a mean of batch means in validation: a small batch counts as much as a large one",
    fit=fit_with(valid_of_batches=True),
)
mistake("gradients add up over the batches: they are never cleared", fit=fit_with(no_zero=True))
mistake("the arguments of the loss are swapped", fit=fit_with(swapped=True))
mistake(
    "validation on the training data",
    fit=fit_with(accuracy_of_train=True),
)
mistake("validates before the epoch, not after it", fit=fit_with(before=True))
mistake(
    "trains on the validation data as well",
    fit=fit_with(trains_on_valid=True),
)
mistake(
    "argmax over the examples, not over the classes",
    fit=fit_with(wrong_axis=True),
)
mistake(
    "the number of right answers, not their share",
    edit=("correct / count", "correct"),
    costs=2,
)
mistake("the loss of the last batch stands for the whole epoch", fit=fit_with(last_batch_only=True))
mistake("the training loss is measured once more after the step", fit=fit_with(re_measured=True))
mistake("validation records gradients, for nothing", fit=fit_with(gradients=True))
mistake(
    "the curves hold tensors, and with them all graphs of all epochs", fit=fit_with(graphs=True)
)
mistake("the validation losses are tensors with their graphs", fit=fit_with(valid_graphs=True))


@alternative(
    "two functions, log-softmax and nll_loss, sums over examples",
)
def _(model, optimizer, train_batches, valid_batches, epochs):
    def run(batches, training):
        model.train(training)
        losses, right = [], []
        with torch.set_grad_enabled(training):
            for x, y in batches:
                logits = model(x)
                each = F.nll_loss(F.log_softmax(logits, dim=1), y, reduction="none")
                if training:
                    model.zero_grad()
                    each.mean().backward()
                    optimizer.step()
                losses += each.detach().tolist()
                right += (logits.argmax(1) == y).tolist()
        return sum(losses) / len(losses), sum(right) / len(right)

    result = {"train": [], "valid": [], "accuracy": []}
    for _ in range(epochs):
        result["train"].append(run(train_batches, True)[0])
        loss, accuracy = run(valid_batches, False)
        result["valid"].append(loss)
        result["accuracy"].append(accuracy)
    return {**result}


@alternative(
    "all validation examples at once, in inference mode, as NumPy numbers",
)
def _(model, optimizer, train_batches, valid_batches, epochs):
    inputs = torch.cat([x for x, _ in valid_batches])
    labels = torch.cat([y for _, y in valid_batches])
    train, valid, accuracy = np.zeros(epochs), np.zeros(epochs), np.zeros(epochs)
    for epoch in range(epochs):
        sizes = np.array([len(y) for _, y in train_batches])
        values = []
        for x, y in train_batches:
            for module in model.modules():
                module.training = True
            loss = -torch.log_softmax(model(x), 1)[torch.arange(len(y)), y].mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            values.append(loss.item())
        train[epoch] = np.average(values, weights=sizes)
        model.eval()
        with torch.inference_mode():
            out = model(inputs).numpy()
        model.train()
        top = out.max(axis=1, keepdims=True)
        log_p = out - top - np.log(np.exp(out - top).sum(axis=1, keepdims=True))
        valid[epoch] = -log_p[np.arange(len(out)), labels.numpy()].mean()
        accuracy[epoch] = (out.argmax(axis=1) == labels.numpy()).mean()
    return {"train": list(train), "valid": list(valid), "accuracy": list(accuracy)}
