# expect: earns nothing
# Sends arrays that are not what their headers say: bodies missing, lengths negative, dtypes unknown.
import itertools

from autograder.sandbox.inside import host
from autograder.sandbox.protocol.kinds import Value
from autograder.sandbox.protocol.packed import Array, Integer

LIES = itertools.cycle(
    [
        (Array("numpy", "float64", (3,), 0), []),
        (Array("numpy", "float64", (3,), -1), [b"x" * 24]),
        (Array("numpy", "float64", (-1, -3), 0), [b"x" * 24]),
        (Array("numpy", "object", (3,), 0), [b"x" * 24]),
        (Array("numpy", "float64", (2**62, 0), 0), [b""]),
        (Array("numpy", "float64", (1,) * 9, 0), [b"x" * 8]),
        (Array("torch", "bfloat16", (3,), 0), [b"x" * 7]),
        (Array("gpu", "float64", (1,), 0), [b"x" * 8]),
        (Array("numpy", "bool", (3,), 0), [b"xyz"]),
        (Integer("no digits"), []),
        (Integer("f" * 100_000), []),
    ]
)


def handle(self, request, ask):
    value, bodies = next(LIES)
    return Value(value).with_bodies(bodies)


host.Host.handle = handle
