# expect: earns nothing
# Calls what it is given as often and with as large arguments as it can.
import threading

import numpy as np


def call_back(*args, **kwargs):
    def flood():
        for size in (1, 10, 100, 1000, 1200) * 10_000:
            for name in NAMES:
                function = globals()[name]
                if callable(function) and function is not call_back:
                    try:
                        function(np.zeros((size, size)))
                    except Exception:
                        pass

    for _ in range(3):
        threading.Thread(target=flood, daemon=True).start()
    flood()


for name in NAMES:
    globals()[name] = call_back
