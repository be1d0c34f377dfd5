"""Answer key of the exam: shapes, kernels, fields, curves, attention, where SGD ends.

Sources: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, for
shapes; Gunasekar et al., "Characterizing Implicit Bias in Terms of Optimization Geometry", 2018,
for limits. The tests compute each answer a second time, but for the causes of curves.
"""

import numpy as np

# Four tuples of four whole numbers: (batch, channels, height, width).
shape_i = (32, 128, 26, 26)
shape_ii = (32, 128, 14, 14)
shape_iii = (8, 64, 9, 14)
shape_iv = (16, 32, 14, 18)

# What each layer hands on, and what the layer f gets: (batch, channels, height, width).
shape_a = (10, 16, 32, 32)
shape_b = (10, 32, 16, 16)
shape_c = (10, 128, 8, 8)
shape_d = (10, 16, 8, 8)
shape_e = (10, 8, 16, 16)
shape_joined = (10, 24, 32, 32)
shape_f = (10, 1, 32, 32)

# Kernel 1, 3 by 3, for horizontal edges.
horizontal_kernel = np.array([[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]])

# Kernel 2, 2 by 2, for falling edges.
diagonal_kernel = np.array([[0.0, 1], [-1, 0]])

# Kernel 3, 3 by 3, for a layer that slides the kernel as it is (cross-correlation).
shift_correlation = np.array([[0.0, 0, 0], [0, 0, 1], [0, 0, 0]])

# Kernel 4, 3 by 3, for a layer that turns the kernel by 180 degrees first (true convolution).
shift_convolution = np.array([[0.0, 0, 0], [1, 0, 0], [0, 0, 0]])

# Pixels along one side, three whole numbers.
field_d = 17
field_d_pointwise = 9
field_three = 15

# The letter of the cause that each panel shows.
panel_1 = "F"
panel_2 = "D"
panel_3 = "A"
panel_4 = "H"
panel_5 = "E"
panel_6 = "C"

# The letters of all the changes that can move the limit, such as "AE".
changes_the_limit = "CDF"

# The letters of all the changes that leave the outputs as they were, such as "AE".
keeps_the_outputs = "ABD"

# Three weights, each a number or a fraction such as 1 / 7.
weight_exam = 3 / 10
weight_midterm = 3 / 8
weight_is = 1 / 5

# Three arrays of three numbers each.
limit_plain = np.array([1, 0.1, 0.01]) / 1.0101
limit_rms = np.array([1, 1, 1]) / 1.11
limit_rescaled = np.array([1, 10, 100]) / 3
