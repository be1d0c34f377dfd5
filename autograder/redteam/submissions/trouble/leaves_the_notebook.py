# expect: earns everything
# Cells call exit and quit, as in a script.
exit()
# %%
quit()
# %%
import sys

sys.exit("done")
