# expect: earns nothing
# Sends one body and a list of a hundred arrays that all name it: the grader would copy it for each.
from autograder.sandbox.inside import host
from autograder.sandbox.protocol.kinds import Get, Seed, Value
from autograder.sandbox.protocol.packed import Array, Items, Reference

SIZE = 15 << 20


def handle(self, request, ask):
    if isinstance(request, Seed):
        return Value(None)
    if isinstance(request, Get):
        return Value(Reference(0, "function"))
    arrays = [Array("numpy", "uint8", (SIZE,), 0)] * 100
    return Value(Items(arrays, False)).with_bodies([bytes(SIZE)])


host.Host.handle = handle
