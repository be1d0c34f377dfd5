# expect: earns nothing; killed
# Sends an array of 10 to the power of 12 numbers in eight bytes.
from autograder.sandbox.inside import host
from autograder.sandbox.protocol.kinds import Value
from autograder.sandbox.protocol.packed import Array

host.Host.handle = lambda self, request, ask: Value(
    Array("numpy", "float64", (10**12,), 0)
).with_bodies([b"x" * 8])
