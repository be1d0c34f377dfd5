# expect: earns nothing
# Answers with objects whose unpickling runs a program, bare, in lists and as bytes.
import itertools
import os
import pickle


class Payload:
    def __reduce__(self):
        return os.system, (f"touch {PUBLIC}/{MARK}",)


ANSWERS = itertools.cycle([Payload(), [Payload()], {"a": Payload()}, pickle.dumps(Payload())])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
