# expect: earns everything
# Submits right answers in which every cell stands twice, with its id.
import copy

import nbformat


def make(folder, notebook):
    twice = []
    for number, cell in enumerate(notebook.cells):
        twin = copy.deepcopy(cell)
        twin["id"] = f"twin-{number}"
        twice += [cell, twin]
    notebook.cells = twice
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
