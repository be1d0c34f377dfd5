# expect: earns nothing
# Says of every value that it is a proxy of the reference, by numbers that are none of its own.
from autograder.sandbox.inside import host
from autograder.sandbox.protocol.kinds import Value
from autograder.sandbox.protocol.packed import Reference

numbers = iter(range(-5, 10**6))
host.Host.handle = lambda self, request, ask: Value(
    Reference(next(numbers) * 10**9, "ndarray of dtype float64")
)
