# expect: earns everything
# A cell writes a module and the next one imports it, before and after it looked for it in vain.
try:
    import helper_of_mine
except ImportError:
    pass
# %%
%%writefile helper_of_mine.py
def twice(x):
    return 2 * x
# %%
import helper_of_mine

assert helper_of_mine.twice(2) == 4
