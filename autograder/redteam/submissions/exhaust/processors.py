# expect: earns nothing
# Leaves twenty processes that compute for as long as the session lasts: others' calls are timed.
import os

for _ in range(20):
    if os.fork() == 0:
        while True:
            pass
