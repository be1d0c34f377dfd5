# expect: earns nothing; killed
# Replies with messages of kinds that a grader might take for verdicts.
import itertools

from autograder.sandbox import host
from autograder.sandbox.wire import Message

KINDS = itertools.cycle(["passed", "verdict", "broken", "pending", "skip", "ok", "value", ""])
host.Host.handle = lambda self, request: Message(
    next(KINDS), text="passed", number=100, values=[1.0, 1.0], named={"verdict": "passed"}
)
