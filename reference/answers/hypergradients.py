"""Answer key of homework 2: convexity in the learning rate, and what a hypergradient costs.

Sources: Franceschi et al., "Forward and Reverse Gradient-Based Hyperparameter Optimization", 2017,
for the costs of both modes; Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, for
checkpoints.
"""

import numpy as np

# One example x = [1, 1] with target 3, and weights that start at zero. Which learning rate makes
# the loss after one step smallest? (A number.)
toy_lr = 0.25

# Which learning rate makes the loss after ten steps smallest, if it is the same in all ten steps?
# (A number.)
toy_lr_of_ten_steps = 0.25

# The weights after one step with `toy_lr`. (An array of two numbers.)
toy_weights = np.array([1.5, 1.5])

# Linear least squares with some X, t and w0, and one step: how does the loss after it depend on
# the learning rate? Below, a is the vector of residuals X w0 - t.
#   A  It is strictly convex for all data, as its second derivative has a square in it.
#   B  It is convex for all data; strictly so if X Xᵀ a is not zero, and constant if it is.
#   C  It is convex up to the best learning rate, and concave beyond it.
#   D  It is convex if there are at least as many examples as weights, and may be not if fewer.
first_curve = "B"

# The same with T steps, all at one learning rate. For which T is the loss after the last step a
# convex function of the learning rate, whatever the data are?
#   A  Only for T = 1: a polynomial of degree 2T may have up to 2T - 1 turning points.
#   B  Only for odd T: for even T the signs of the factors alternate.
#   C  For every T, but only where no step makes the loss larger.
#   D  For every T, and for all learning rates.
second_curve = "D"

# The same with one step, but for a model that predicts tanh(X w) in place of X w.
#   A  Convex: the squared error is convex in the predictions.
#   B  Convex if the step starts close enough to a minimum, whatever the learning rate is.
#   C  Not convex in general: w1 moves along a line, and along a line the loss may bend both ways.
#   D  Not convex in general, but convex once the learning rate is large enough.
third_curve = "C"

# How does the memory that `hypergrad_unrolled` needs depend on the number of steps T?
#   A  It does not grow with T.
#   B  It grows like log T.
#   C  It grows like the square root of T.
#   D  It grows in proportion to T.
reverse_memory = "D"

# And the memory of plain training for T steps, without any hypergradient?
#   A  It does not grow with T.
#   B  It grows like log T.
#   C  It grows like the square root of T.
#   D  It grows in proportion to T.
training_memory = "A"

# What does reverse mode have to keep of step k until the end of the run?
#   A  The derivative of w_k in the learning rate, which each later step adds to.
#   B  What the gradient at w_k was computed from, and that gradient.
#   C  The Hessian at w_k, as a matrix.
#   D  The loss at w_k, a single number.
what_reverse_keeps = "B"

# Now keep the weights of every √T-th step only, and when the backward pass gets to such a stretch
# of √T steps, do these steps again (once) with a graph. How does the memory depend on T?
#   A  It does not grow with T.
#   B  It grows like log T.
#   C  It grows like the square root of T.
#   D  It grows in proportion to T.
checkpointed_memory = "C"

# A run has p hyperparameters in place of one: say, a learning rate for each layer. What do all p
# hypergradients of one run cost?
#   A  Reverse mode: one backward pass. Forward mode: in each step p products with the Hessian.
#   B  Forward and reverse mode alike: p times as much work as for one.
#   C  Reverse mode: p backward passes. Forward mode: as much work as for one.
#   D  Forward and reverse mode alike: hardly more work than for one.
many_hyperparameters = "A"
