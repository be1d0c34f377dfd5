# expect: earns everything
# Behind right answers, a cell of fifty thousand small functions takes long to compile as a whole.
import nbformat


def make(folder, notebook):
    notebook.cells.append(nbformat.v4.new_code_cell("lambda: 0\n" * 50_000))
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
