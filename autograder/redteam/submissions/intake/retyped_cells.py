# expect: earns everything
# Submits right answers whose code cells became text, and whose text became code.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        cell.cell_type = "markdown" if cell.cell_type == "code" else "code"
        for key in ("outputs", "execution_count"):
            cell.pop(key, None)
    (folder / f"{folder.name}.ipynb").write_text(__import__("json").dumps(notebook))
