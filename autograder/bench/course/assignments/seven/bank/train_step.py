import torch

from autograder import alternative, mistake


@mistake("gradients add up: zero_grad is missing")
def _(model, optimizer, x, y):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake("a softmax before the cross-entropy, which has one already")
def _(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(torch.softmax(model(x), dim=1), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake("the gradients are cleared before they are used")
def _(model, optimizer, x, y):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@alternative("the loss by hand, gradients cleared at the end")
def _(model, optimizer, x, y):
    log_probabilities = torch.log_softmax(model(x), dim=1)
    loss = -log_probabilities[torch.arange(len(y)), y].mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()
