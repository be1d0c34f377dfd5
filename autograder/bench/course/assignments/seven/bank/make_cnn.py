import torch

from autograder import alternative, mistake


@mistake("the second convolution has no ReLU")
def _(channels, classes):
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, classes),
    )


@mistake("half as many channels as described")
def _(channels, classes):
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(4, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, classes),
    )


@alternative("layer by layer, the mean by a function")
def _(channels, classes):
    class Mean(torch.nn.Module):
        def forward(self, x):
            return x.mean(dim=(2, 3))

    model = torch.nn.Sequential()
    for wide, narrow in ((channels, 8), (8, 16)):
        model.append(torch.nn.Conv2d(wide, narrow, kernel_size=3, padding="same"))
        model.append(torch.nn.ReLU())
        if narrow == 8:
            model.append(torch.nn.MaxPool2d(2))
    model.append(Mean())
    return model.append(torch.nn.Linear(16, classes))
