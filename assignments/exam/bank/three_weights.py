import numpy as np

from autograder import alternative, mistake
from reference.attention import attention_grid

mistake("the word at position 2 gets all the weight that both positions share", weight_exam=0.6)
mistake("only equal words are counted", weight_exam=0.5)
mistake("the word at position 2 is the same word as at 6", weight_exam=1 / 8)
mistake("only one word of the two is seen", weight_exam=3 / 8)
mistake("different words count nothing", weight_midterm=1.0)
mistake("the score itself, without its exponential", weight_midterm=0.1802)
mistake("one word too few in the sum", weight_midterm=3 / 7)
mistake("later words are seen as well", weight_is=1 / 8)
mistake("a word does not see itself in its own sum", weight_is=1 / 2)
mistake("the weight of the word itself", weight_is=3 / 5)
mistake("shares of the positions, all alike", weight_is=1 / 3)
alternative(
    "three decimals",
    weight_exam=0.3,
    weight_midterm=0.375,
    weight_is=np.float64(0.2),
)
SENTENCE = ["this", "exam", "is", "a", "midterm", "exam"]
alternative(
    "computed by the function",
    weight_exam=attention_grid(SENTENCE, np.log(3))[5, 1],
    weight_midterm=attention_grid(SENTENCE, np.log(3))[4, 4],
    weight_is=attention_grid(SENTENCE, np.log(3), True)[2, 0],
)
mistake("a percentage", weight_exam=30)
