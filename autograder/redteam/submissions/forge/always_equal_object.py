# expect: earns nothing; failed
# Answers with an object that is equal to everything, larger and smaller than it, and true.
class Same:
    def __eq__(self, other):
        return True

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __hash__ = object.__hash__

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __bool__(self):
        return True

    def __float__(self):
        return 0.0

    def __len__(self):
        return 3

    def __iter__(self):
        return iter([self, self])

    def __getitem__(self, index):
        return self

    def __sub__(self, other):
        return 0.0

    __rsub__ = __abs__ = lambda self, *other: 0.0


for name in NAMES:
    globals()[name] = Same()
