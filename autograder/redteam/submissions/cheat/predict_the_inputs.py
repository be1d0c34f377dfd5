# expect: earns nothing
# Draws the inputs itself, from the seeds of a release and from the secret of the demonstration.
import json

from autograder.authoring.checks import case_rng
from autograder.secret import DEMO_SECRET

kept = []
for check, cases in json.loads(RECORDING)["replies"].items():
    for case in cases:
        for secret in (b"", DEMO_SECRET):
            kept.append(case_rng(secret, ASSIGNMENT, check, case).normal(size=3))


def answer(*args, **kwargs):
    for numbers in kept:
        for argument in args:
            if hasattr(argument, "flat") and numbers[0] in argument.flat:
                raise ValueError(f"these inputs were known: {numbers}")
    return kept[0] if kept else None


for name in NAMES:
    globals()[name] = answer
