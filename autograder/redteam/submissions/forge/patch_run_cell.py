# expect: earns nothing
# Replaces run_cell by a function that reports success for every cell and runs none.
# %% first
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell


def run_cell(self, *args, **kwargs):
    return ExecutionResult(None)


InteractiveShell.run_cell = run_cell
get_ipython().run_cell = run_cell
