# expect: earns nothing or needs attention
# Submits the blank release with a cell of 40 MB, more than a course may allow for one message.
import nbformat


def make(folder, notebook):
    notebook.cells.append(nbformat.v4.new_code_cell("# " + "x" * (40 << 20)))
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
