# expect: earns everything
# Answers a proof with a picture whose attachment was lost, as when a text is copied to another cell.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.nbgrader.solution:
            cell.source = "See ![my proof](attachment:proof.png)."
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
