# expect: earns everything
# Uses what notebooks know: magics, the shell, help, timing, and await at the top.
%matplotlib inline
%timeit -n 1 -r 1 sum(range(10))
!ls -la
?print
import asyncio

await asyncio.sleep(0.01)
# %%
%%time
total = sum(range(100))
# %%
%%bash
echo hello
# %%
%load_ext autoreload
%autoreload 2
%no_such_magic
