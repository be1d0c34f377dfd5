"""Answer key of homework 1: where optimizers end, weight decay, batch size.

Sources: Wilson et al., "The Marginal Value of Adaptive Gradient Methods in Machine Learning", 2017,
for where adaptive methods end; Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
2019, for Adam's penalty; Zhang et al., "Which Algorithmic Choices Matter at Which Batch Sizes?",
2019, for batch size; Kaplan et al., "Scaling Laws for Neural Language Models", 2020, for compute.
"""

import numpy as np

# One example x = [2, 1] with target 2, weights that start at zero, a small learning rate: where
# do Adagrad, RMSprop and Adam end? (The same point for all three, as an array of two numbers.)
adaptive_limit = np.array([2 / 3, 2 / 3])

# Is that point the minimum norm solution of the example, and why?
#   A  Yes: the gradients are multiples of x, so no method that starts at zero leaves their line.
#   B  Yes: a run from zero to the nearest point of loss zero ends at the shortest solution.
#   C  No: with steps that shrink or jump about, none of the three ends at a solution at all.
#   D  No: each coordinate is divided by a root of its own, which turns the steps away from x.
adaptive_and_minimum_norm = "D"

# Is there a strength of the L2 penalty for which, at every weight and every gradient, Adam on the
# penalised loss takes the same step as AdamW, and why?
#   A  Yes: that of gradient descent, because Adam takes a step along a gradient as well.
#   B  No: Adam divides the penalty's gradient by the root of v, too, another in each coordinate.
#   C  Yes: that of gradient descent times (1 - beta1), which makes up for the running mean.
#   D  No: the bias correction forgets the penalty after the first steps, and decay goes on.
adam_l2_and_adamw = "B"

# The regime at points A and B of the table, "noise" or "curvature".
regime_at_a = "noise"
regime_at_b = "curvature"

# Devices can be added, and the examples of a batch are spread over them, but each device costs
# money for as long as it runs. Which point of the table makes the best trade between time and cost?
#   A  Point A: it takes the fewest examples, and every device is used fully.
#   B  Point B: it takes the fewest steps, so that the result is there first.
#   C  Point C: about twice the fewest steps, and about twice the fewest examples.
#   D  None: steps times batch size is the same for all, so that time can be bought at no loss.
efficient_batch = "C"

# SGD is tuned anew for each batch size. How does the best learning rate change as the batch
# grows from one example to the whole data set?
#   A  It falls throughout, because a mean over more examples is a longer step.
#   B  It stays the same, because the expected gradient does not depend on the batch size.
#   C  It rises while gradient noise limits the step, and levels off once curvature does.
#   D  It rises in proportion to the batch size throughout, because the noise keeps falling.
larger_batch_learning_rate = "C"

# The batch size is far below the critical one, so gradient noise dominates. Which change brings
# the number of steps to a given loss down to almost a half? (Unless an option says otherwise, the
# learning rate is tuned anew.)
#   A  Twice the batch, computed in parallel on twice the devices.
#   B  Gradients in double precision in place of single precision.
#   C  Half the batch, so that each pass over the data makes twice the updates.
#   D  The same batch and a learning rate twice the best one.
noise_dominated_remedy = "A"

# The batch size is far above the critical one, so curvature dominates. Which change can still
# bring the number of steps to a given loss down by much? (The learning rate is tuned anew.)
#   A  Twice the batch, computed in parallel on twice the devices.
#   B  A preconditioned or second-order optimizer, which rescales the steep and flat directions.
#   C  The mean of the gradients of several batches in each step.
#   D  Sampling the examples without replacement in place of with replacement.
curvature_dominated_remedy = "B"

# Training gets ten times the compute. What do the scaling laws of language models (Kaplan et al.,
# 2020) spend most of it on, to reach the lowest loss, where data are not what is short?
#   A  More steps for the same model, until its loss no longer falls.
#   B  A larger batch for the same model, with the same number of steps.
#   C  A deeper model of the same number of parameters, trained for longer.
#   D  A model of more parameters, which is stopped well before its loss no longer falls.
best_use_of_compute = "D"
