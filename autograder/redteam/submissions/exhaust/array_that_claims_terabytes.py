# expect: earns nothing; killed
# Sends an array of 10 to the power of 12 numbers in eight bytes.
from autograder.sandbox import host
from autograder.sandbox.wire import Array, Message

host.Host.handle = lambda self, request: Message(
    "value", values=[Array("numpy", "float64", (10**12,), 0)], bodies=[b"x" * 8]
)
