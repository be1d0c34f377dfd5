from autograder import alternative, mistake

mistake("the regimes are exchanged: a small batch is a noisy one", regime_at_a="curvature")
mistake("the regimes are exchanged: in a huge batch the noise is gone", regime_at_b="noise")
mistake("a letter in place of a name", regime_at_a="A")
mistake(
    "cheapest, and the slowest by far: twice the devices would halve the time",
    efficient_batch="A",
)
mistake(
    "fastest, and the dearest by far: half the devices would take hardly longer",
    efficient_batch="B",
)
mistake("steps times batch size is not the same: look at the examples", efficient_batch="D")
mistake(
    "the mean of more gradients taken for a longer step: it is a less noisy one",
    larger_batch_learning_rate="A",
)
mistake(
    "only the expectation is looked at: the variance falls, and longer steps pay",
    larger_batch_learning_rate="B",
)
mistake(
    "linear scaling without end: past the critical size curvature limits the step",
    larger_batch_learning_rate="D",
)
mistake("rounding taken for sampling noise, which is larger by far", noise_dominated_remedy="B")
mistake(
    "fewer examples for each step: that makes more steps, and noisier ones",
    noise_dominated_remedy="C",
)
mistake("beyond the best learning rate the noise eats up the progress", noise_dominated_remedy="D")
mistake(
    "more of what is plentiful: far above the critical size the noise is gone already",
    curvature_dominated_remedy="A",
)
mistake(
    "averaging over several batches is a larger batch by another name",
    curvature_dominated_remedy="C",
)
mistake(
    "another way to sample lowers the noise a little, and noise is not the problem",
    curvature_dominated_remedy="D",
)
mistake(
    "trained to the very end: the last steps of a small model cost much and gain little",
    best_use_of_compute="A",
)
mistake(
    "only less noise: past the critical batch size that saves hardly a step",
    best_use_of_compute="B",
)
mistake(
    "shape taken for size: at the same number of parameters depth matters little",
    best_use_of_compute="C",
)
mistake("the text of an answer in place of its letter", noise_dominated_remedy="Twice the batch")
alternative(
    "small letters, and names in full",
    regime_at_a="Noise-dominated",
    regime_at_b=" curvature dominated",
    efficient_batch="c",
    larger_batch_learning_rate="c",
    noise_dominated_remedy="a ",
    curvature_dominated_remedy="b",
    best_use_of_compute="d",
)
