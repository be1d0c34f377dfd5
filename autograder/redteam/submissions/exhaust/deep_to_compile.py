# expect: earns everything
# Behind right answers, cells are nested deeper than a compiler's stack: operators, subscripts, keys.
import nbformat

DEEP = [
    "x = " + "-" * 50_000 + "1",
    "x = " + "1+" * 50_000 + "1",
    "x" + "[0]" * 50_000 + " = 1",
    "x = " + "{0:" * 30 + "}" * 29,
    "match 1:\n case " + "[" * 150 + "1" + "]" * 150 + ": pass",
]


def make(folder, notebook):
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in DEEP]
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
