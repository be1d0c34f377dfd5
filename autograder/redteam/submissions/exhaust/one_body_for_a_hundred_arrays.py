# expect: earns nothing
# Sends one body and a list of a hundred arrays that all name it: the grader would copy it for each.
from autograder.sandbox import host
from autograder.sandbox.wire import Array, Items, Message, Reference

SIZE = 15 << 20


def handle(self, request):
    if request.kind == "seed":
        return Message("value", values=[None])
    if request.kind == "get":
        return Message("value", values=[Reference(0, "function")])
    arrays = [Array("numpy", "uint8", (SIZE,), 0)] * 100
    return Message("value", values=[Items(arrays, False)], bodies=[bytes(SIZE)])


host.Host.handle = handle
