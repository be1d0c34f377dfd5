import numpy as np

from autograder import alternative, mistake

mistake(
    "channels are left out: 64 maps of 112 x 112 pixels have 64 times as many neurons",
    neurons_of_convolutions=[12_544, 3_136, 784, 784],
)
mistake("channels in place of neurons", neurons_of_convolutions=[64, 128, 256, 256])
mistake(
    "no padding: the convolutions keep their sides",
    neurons_of_convolutions=[774_400, 359_552, 147_456, 123_904],
)
mistake(
    "pooling taken to halve the pixels: it halves each side",
    neurons_of_convolutions=[802_816, 802_816, 802_816, 802_816],
)
mistake(
    "a pooling too many, between the last two",
    neurons_of_convolutions=[802816, 401408, 200704, 50176],
)
mistake(
    "after the pooling that follows each of them",
    neurons_of_convolutions=[200_704, 100_352, 50_176, 50_176],
)
mistake(
    "pooling taken to halve the pixels: it halves each side",
    neurons_of_poolings=[401_408, 401_408, 401_408],
)
mistake("before the pooling, not after it", neurons_of_poolings=[802_816, 401_408, 200_704])
mistake("one channel only", neurons_of_poolings=[3_136, 784, 196])
mistake("the pooling layers are left out", neurons_total=1_606_756)
mistake("the fully connected layers are left out", neurons_total=1_956_864)
mistake("softmax is counted too", neurons_total=1_958_088)
mistake("the input counts with one channel, and it has three", neurons_total=1_970_532)
mistake("parameters in place of neurons", neurons_total=52_444_644)
mistake("one sum in place of three numbers", neurons_of_poolings=351_232)
alternative(
    "with the input as a layer",
    neurons_total=1_995_620,
)
alternative(
    "arrays and tuples",
    neurons_of_convolutions=np.array([64, 128, 256, 256]) * np.array([112, 56, 28, 28]) ** 2,
    neurons_of_poolings=(64 * 56**2, 128 * 28**2, 256 * 14**2),
)
