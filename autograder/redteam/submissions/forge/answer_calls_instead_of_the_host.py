# expect: earns nothing
# Replaces the host inside the session: every request is answered with what was asked, as a value.
from autograder.sandbox.inside import host
from autograder.sandbox.protocol.kinds import Attribute, Call, Get, Seed, Value, Watched
from autograder.sandbox.protocol.packed import Reference


def handle(self, request, ask):
    if isinstance(request, Seed):
        return Value(None)
    if isinstance(request, (Get, Attribute)):
        return Value(Reference(0, "function"))
    args = request.args or [None]
    if isinstance(request, Call) and request.watch:  # a pure call: the arguments, unchanged
        return Watched(args[0], request.args, request.named).with_bodies(request.bodies)
    return Value(args[-1]).with_bodies(request.bodies)


host.Host.handle = handle
