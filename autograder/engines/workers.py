"""What the worker processes of a run have in common."""

import atexit
import gc
import multiprocessing
import os

__all__ = ["ONE_THREAD", "end_with_run"]

# Of each library: there is a worker for each core, and threads that wait for work use it up.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("MKL", "OMP", "OPENBLAS")}

# What forks workers ends without looking for garbage once more in all that it has imported.
atexit.register(gc.freeze)


def end_with_run() -> None:
    """End this worker as soon as the process of its run is gone."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)
