# expect: earns everything
# Behind right answers, sixty cells leave the process: the notebook is run again without each of them.
import nbformat


def make(folder, notebook):
    cells = [nbformat.v4.new_code_cell(f"import os; os._exit({i})") for i in range(60)]
    notebook.cells += cells
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
