# expect: earns everything
# Cells that end in time use up the time of the submission, and are counted once.
# %%
import time

time.sleep(0.2)
# %%
time.sleep(0.2)
# %%
time.sleep(0.2)
