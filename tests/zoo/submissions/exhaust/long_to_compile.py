# expect: earns everything; says "was left out"
# Behind right answers, a cell of half a million lines takes longer to compile than any cell may run.
import nbformat


def make(folder, notebook):
    notebook.cells.append(nbformat.v4.new_code_cell("x = [y for y in (1, 2)]\n" * 500_000))
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
