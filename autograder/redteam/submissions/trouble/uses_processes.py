# expect: earns everything
# A cell computes in a pool of processes.
import multiprocessing

with multiprocessing.get_context("fork").Pool(2) as pool:
    total = sum(pool.map(abs, range(100)))
