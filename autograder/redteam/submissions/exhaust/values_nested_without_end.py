# expect: earns nothing; errored
# Answers with a list that holds itself, a dict in a dict in a dict, and a very deep tuple.
import itertools

own = []
own.append(own)
deep = ()
for _ in range(100_000):
    deep = (deep,)
table = {}
table["table"] = table
ANSWERS = itertools.cycle([own, deep, table])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
