import numpy as np

from autograder import alternative, mistake

mistake("one number in place of a list", reverse_bytes=10_000)
mistake("no run was measured", forward_bytes=[])
alternative(
    "bytes from an array", reverse_bytes=np.array([9000, 15_000, 27_000]), forward_bytes=[1, 1, 1]
)
