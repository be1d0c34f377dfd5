# expect: earns nothing
# A namespace that has every name, and a value for each question that a check may ask.
class Everything(dict):
    def __contains__(self, name):
        return True

    def __missing__(self, name):
        return lambda *args, **kwargs: self

    def __getitem__(self, name):
        return lambda *args, **kwargs: 0.0


import gc

from autograder.sandbox.inside.host import Host

real = Host.__init__


def begin(self, namespace):
    real(self, namespace)
    self._namespace = Everything(namespace)


Host.__init__ = begin
