import numpy as np

from autograder import alternative, mistake

mistake(
    "a slip in the addition, of fifty thousand: the rows do not add up to it",
    params_total=52_494_644,
)
mistake(
    "FC-1024 without its biases, and a slip of fifty thousand in adding up",
    params_fc1024=51_380_224,
    params_total=52_494_644,
)
mistake("FC-1024 without its 1024 biases", params_fc1024=51_380_224, params_total=52_443_620)
mistake("FC-1024 without its biases in its own row only", params_fc1024=51_380_224)
mistake(
    "all biases are left out",
    params_conv64=1_728,
    params_conv128=73_728,
    params_conv256_first=294_912,
    params_conv256_second=589_824,
    params_fc1024=51_380_224,
    params_fc100=102_400,
    params_total=52_442_816,
)
mistake(
    "batch norms are counted, and there are none",
    params_conv64=1_920,
    params_conv128=74_112,
    params_conv256_first=295_680,
    params_conv256_second=590_592,
    params_total=52_446_052,
)
mistake("grey images: an RGB image has three channels", params_conv64=640, params_total=52_443_492)
mistake(
    "the last pooling before FC-1024 is overlooked",
    params_fc1024=205_521_920,
    params_total=206_585_316,
)
mistake(
    "pooling by 3: 112 pixels become 37, then 12, then 4",
    params_fc1024=4_195_328,
    params_total=5_258_724,
)
mistake(
    "FC-1024 on 256 x 256 values: the last pooling hands on 14 x 14 pixels of 256 channels",
    params_fc1024=67_108_864,
)
mistake(
    "FC-1024 on 256 values: each channel has many pixels",
    params_fc1024=263_168,
    params_total=1_326_564,
)
mistake(
    "no padding: the convolutions keep their sides",
    params_fc1024=256 * 11 * 11 * 1024 + 1024,
)
mistake(
    "a kernel for each filter, but none for each channel of the input",
    params_conv64=640,
    params_conv128=1_280,
    params_conv256_first=2_560,
    params_conv256_second=2_560,
)
mistake(
    "the second of two equal layers has more channels to look at than the first",
    params_conv256_second=295_168,
    params_total=52_149_732,
)
mistake("three weights for each channel: a kernel has nine", params_conv128=24_704)
mistake("FC-100 without its biases", params_fc100=102_400)
mistake("softmax is counted as a layer with weights", params_total=52_454_744)
mistake("outputs in place of parameters", params_conv64=802_816, params_conv128=401_408)
mistake("a list of steps in place of one number", params_conv64=[1_728, 64])
alternative(
    "written as sums, with numpy's integers and a float",
    params_conv64=64 * (3 * 3 * 3 + 1),
    params_conv128=np.int64(128 * (3 * 3 * 64 + 1)),
    params_fc1024=1024.0 * (14 * 14 * 256 + 1),
    params_total=np.sum([1_792, 73_856, 295_168, 590_080, 51_381_248, 102_500]),
)
