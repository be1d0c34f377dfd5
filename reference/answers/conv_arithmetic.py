"""Answer key of homework 5: responses and kernels by hand, shapes, counts, receptive fields.

Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, for shapes.
The tests compute each answer a second time, with torch or scipy.
"""

import numpy as np

# The Laplacian of Question 1.1 applied to image A: five rows of five whole numbers.
laplacian_response = np.array(
    [
        [-1, 2, 2, -2, 0],
        [-2, 1, 0, 2, -1],
        [3, 0, 0, 1, -1],
        [-2, 2, 0, 2, -1],
        [0, -2, 3, -2, 0],
    ]
)

# The kernel Q of Question 1.1 applied to image B: five rows of five whole numbers.
q_response = np.array(
    [
        [0, 0, -1, -1, -1],
        [-1, -2, 3, 2, 4],
        [4, 2, 1, 2, -2],
        [-2, 3, 1, 3, -1],
        [0, -2, 4, -2, 0],
    ]
)

# The kernel R of Question 1.1 applied to image B: five rows of five whole numbers.
r_response = np.array(
    [
        [0, -1, -2, -3, -2],
        [-2, -3, -3, -2, -1],
        [-1, -1, -1, 1, 1],
        [2, 2, 2, 1, 1],
        [1, 2, 3, 2, 1],
    ]
)

# What do the Laplacian, Q and R do? A letter for each.
#   A  It averages each pixel with its neighbours.
#   B  It moves the image by one pixel.
#   C  It keeps flat regions as they are, and overshoots on both sides of every edge.
#   D  It answers to changes from row to row, and is silent where only the columns differ.
#   E  It answers to changes from column to column, and is silent where only the rows differ.
#   F  It is silent on flat regions and on even slopes, and answers to edges of every direction.
laplacian_effect = "F"
q_effect = "C"
r_effect = "D"

# 3 x 3: the kernel of Question 6.1, which finds horizontal edges.
horizontal_edge_kernel = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])

# 3 x 3: the kernel of Question 6.2, which finds thin vertical lines.
vertical_line_kernel = np.array([[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]])

# 2 x 2: the kernel of Question 6.3, which finds edges along the main diagonal.
diagonal_edge_kernel = np.array([[0, 1], [-1, 0]])

# 3 x 3: moves the image left by one pixel, used as a cross-correlation.
left_by_correlation = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])

# 3 x 3: moves the image left by one pixel, used as a true convolution.
left_by_convolution = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])

# 5 x 5: moves the image down by two pixels and right by one, used as a cross-correlation.
down_down_right_by_correlation = np.array(
    [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
)

# 3 x 3: the kernel of Question 6.5, which blurs.
blur_kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16

# The shapes of the eight tensors of Question 2.4, each a tuple of four whole numbers.
shape_a = (10, 16, 32, 32)
shape_b = (10, 32, 16, 16)
shape_c = (10, 128, 8, 8)
shape_d = (10, 16, 8, 8)
shape_e = (10, 8, 16, 16)
shape_u = (10, 8, 32, 32)
shape_s = (10, 24, 32, 32)
shape_f = (10, 1, 32, 32)

# The table of Question 4.1: trainable parameters of each layer, and of the whole network.
params_conv64 = 1_792
params_conv128 = 73_856
params_conv256_first = 295_168
params_conv256_second = 590_080
params_fc1024 = 51_381_248
params_fc100 = 102_500
params_total = 52_444_644

# Question 4.2, neurons. The four convolutions, from the first to the last: a list of four numbers.
neurons_of_convolutions = [802_816, 401_408, 200_704, 200_704]

# The three pooling layers, from the first to the last: a list of three numbers.
neurons_of_poolings = [200_704, 100_352, 50_176]

# All of them together, and the two fully connected layers.
neurons_total = 1_957_988

# Question 4.3, connections into one neuron. The four convolutions: a list of four numbers.
fan_in_of_convolutions = [27, 576, 1_152, 2_304]

# A pooling layer.
fan_in_of_pooling = 4

# FC-1024 and FC-100: a list of two numbers.
fan_in_of_dense = [50_176, 1_024]

# Which of the nine changes of Question 5.4 enlarge the receptive field? All letters that do, and
# no other, as one text.
field_enlarging_changes = "BCFH"
