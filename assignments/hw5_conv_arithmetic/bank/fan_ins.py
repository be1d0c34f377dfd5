import numpy as np

from autograder import alternative, mistake

mistake("one channel only: a neuron sees all channels", fan_in_of_convolutions=[9, 9, 9, 9])
mistake("the bias is counted as a connection", fan_in_of_convolutions=[28, 577, 1_153, 2_305])
mistake(
    "the filters of the layer itself in place of the channels before it",
    fan_in_of_convolutions=[576, 1_152, 2_304, 2_304],
)
mistake(
    "weights of the whole layer, not of one neuron",
    fan_in_of_convolutions=[1_728, 73_728, 294_912, 589_824],
)
mistake(
    "grey images: an RGB image has three channels", fan_in_of_convolutions=[9, 576, 1_152, 2_304]
)
mistake("pooling looks at one channel, and not at all of them", fan_in_of_pooling=256)
mistake("pooling by 3: it is over 2 x 2 pixels", fan_in_of_pooling=9)
mistake("FC-1024 on 256 values: each channel has many pixels", fan_in_of_dense=[256, 1_024])
mistake("the last pooling before FC-1024 is overlooked", fan_in_of_dense=[200_704, 1_024])
mistake("what a neuron feeds in place of what feeds it", fan_in_of_dense=[1_024, 100])
mistake("the bias is counted as a connection", fan_in_of_dense=[50_177, 1_025])
mistake("one entry for both fully connected layers", fan_in_of_dense=[51_200])
alternative(
    "an array of products",
    fan_in_of_convolutions=np.array([3, 64, 128, 256]) * 3 * 3,
    fan_in_of_pooling=2 * 2,
    fan_in_of_dense=(14 * 14 * 256, 1024),
)
