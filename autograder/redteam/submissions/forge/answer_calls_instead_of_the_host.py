# expect: earns nothing
# Replaces the host inside the session: every request is answered with what was asked, as a value.
from autograder.sandbox import host
from autograder.sandbox.wire import Message, Reference


def handle(self, request):
    if request.kind == "seed":
        return Message("value", values=[None])
    if request.kind in ("get", "attribute"):
        return Message("value", values=[Reference(0, "function")])
    values = request.values or [None]
    if request.text == "watch":  # a pure call: the arguments, unchanged
        from autograder.sandbox.wire import Items, Mapping

        values = [values[0], Items(list(request.values), False), Mapping(dict(request.named))]
        return Message("value", values=values, bodies=request.bodies)
    return Message("value", values=values[-1:], bodies=request.bodies)


host.Host.handle = handle
