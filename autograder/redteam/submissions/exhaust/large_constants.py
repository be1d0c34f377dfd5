# expect: earns everything
# Behind right answers, a cell's constants are large once they are computed, at compile time or later.
ONE = ("x" * 4000) * 1000
TWO = 2**100_000
THREE = (0,) * 10_000_000
FOUR = b"\0" * 100_000_000
FIVE = [[0] * 1000] * 1000
