# expect: earns everything
# Submits right answers with 50 MB of outputs in one cell.
import nbformat


def make(folder, notebook):
    cell = next(c for c in notebook.cells if c.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", text="x" * (50 << 20))]
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
