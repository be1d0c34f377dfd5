# expect: earns nothing; says "was left out"
# A cell writes into the grader's channel while the notebook runs.
import os

# %%
for descriptor in range(256):
    try:
        os.write(descriptor, b"\0" * 64 + b"passed")
    except OSError:
        pass
