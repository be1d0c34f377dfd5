# expect: earns nothing
# Raises errors whose type, text and traceback raise errors themselves, or never end.
class Type(type):
    @property
    def __name__(cls):
        raise RuntimeError


class Error(Exception, metaclass=Type):
    def __str__(self):
        raise KeyboardInterrupt

    __repr__ = __str__

    @property
    def __traceback__(self):
        raise RuntimeError

    @property
    def __class__(self):
        raise RuntimeError


def tell(*args, **kwargs):
    raise Error


for name in NAMES:
    globals()[name] = tell
raise Error
