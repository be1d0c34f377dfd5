# expect: earns everything
# Submits right answers with all code merged into the first cell, checks and given cells too.
import nbformat


def make(folder, notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[0].source = "\n\n".join(cell.source for cell in code)
    notebook.cells = [c for c in notebook.cells if c.cell_type != "code" or c is code[0]]
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
