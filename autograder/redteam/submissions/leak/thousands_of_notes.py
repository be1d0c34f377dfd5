# expect: earns nothing; says "more"
# Fails in a hundred cells, each with a long message, so that the page is nothing but notes.
# %%
if True:
    raise ValueError("1" * 10_000)
# %%
raise ValueError("2" * 10_000)
# %%
import os

os.write(1, b"3" * 10_000)
1 / 0
# %%
get_ipython().run_cell("1 / 0")
raise SystemExit("4" * 10_000)
# %%
raise KeyboardInterrupt("5" * 10_000)
# %%
raise BaseException("6" * 10_000)
# %%
class Error(Exception):
    def __str__(self):
        raise Error


raise Error
# %%
for number in range(40):
    get_ipython().user_ns[f"_{number}"] = number
raise RuntimeError("and more" * 10_000)
