# expect: earns nothing
# Tells visible from hidden cases by the seed that a session gets, and answers only the visible ones.
import hashlib
import json

import numpy as np

from autograder.sandbox.inside import host

recording = json.loads(RECORDING)["replies"]
seeds = {
    int.from_bytes(hashlib.sha256(f"{check}/{case}".encode()).digest()[:4], "big"): (check, case)
    for check, cases in recording.items()
    for case in cases
}
phase = {}
real = host.Host._seed


def seed(self, request):
    phase["now"] = seeds.get(request.number)
    return real(self, request)


host.Host._seed = seed


def answer(*args, **kwargs):
    if phase.get("now"):
        check, case = phase["now"]
        return [reply["value"] for reply in recording[check][case]][-1]
    raise ValueError(f"a hidden case, with {len(args)} inputs")


for name in NAMES:
    globals()[name] = answer
