# expect: earns nothing
# Answers with arrays of objects, and with files of numpy that hold pickles.
import io
import itertools
import os

import numpy as np


class Payload:
    def __reduce__(self):
        return os.system, (f"touch {PUBLIC}/{MARK}",)


file = io.BytesIO()
np.save(file, np.array([Payload()], dtype=object), allow_pickle=True)
np.save(f"{MARK}.npy", np.array([Payload()], dtype=object), allow_pickle=True)
ANSWERS = itertools.cycle([np.array([Payload()], dtype=object), file.getvalue()])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
