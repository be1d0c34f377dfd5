# expect: earns nothing
# Plays the release's recording back: every reply of the reference to a visible case, in order.
import base64
import json

import numpy as np

replies = []
for cases in json.loads(RECORDING)["replies"].values():
    for case in cases.values():
        for reply in case:
            value = reply["value"]
            if reply["asked"].startswith("get ") and not isinstance(value, dict):
                globals()[reply["asked"].removeprefix("get ")] = value
            if isinstance(value, dict) and value.get("type") == "array":
                raw = base64.b64decode(reply["bodies"][value["body"]])
                replies.append(np.frombuffer(raw, value["dtype"]).reshape(value["shape"]))
            elif not isinstance(value, dict):
                replies.append(value)


def replay(*args, **kwargs):
    for shape in [np.shape(a) for a in args]:
        for reply in replies:
            if np.shape(reply) == shape:
                return reply
    return replies[0] if replies else None


for name in FUNCTIONS:
    globals()[name] = replay
