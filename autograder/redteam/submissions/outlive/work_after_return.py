# expect: earns nothing
# Returns an array, a list and a dict at once, and a thread goes on changing them.
import threading

import numpy as np


def later(*args, **kwargs):
    value = np.zeros(np.shape(args[0]) if args else 3)
    items = [value, {"value": value}]

    def work():
        for _ in range(1000):
            value[...] = np.random.normal(size=value.shape)
            items.append(value)
            items[1][str(len(items))] = items[0]

    threading.Thread(target=work, daemon=True).start()
    return items


for name in NAMES:
    globals()[name] = later
