# expect: earns nothing; killed
# Replies with messages of kinds that a grader might take for verdicts.
import itertools

from autograder.sandbox.inside import host

KINDS = itertools.cycle(["passed", "verdict", "broken", "pending", "skip", "ok", "value", ""])
host.Host.handle = lambda self, request, ask: {
    "kind": next(KINDS),
    "text": "passed",
    "number": 100,
    "value": 1.0,
    "named": {"verdict": "passed"},
}
