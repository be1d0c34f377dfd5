# expect: earns nothing
# Answers with an endless generator, an iterator that blocks and an object with endless attributes.
import itertools


class Endless:
    def __getattr__(self, name):
        return Endless()

    def __iter__(self):
        return self

    def __next__(self):
        return Endless()

    def __len__(self):
        return 10**18


ANSWERS = itertools.cycle([itertools.count(), Endless(), (x for x in itertools.count())])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
