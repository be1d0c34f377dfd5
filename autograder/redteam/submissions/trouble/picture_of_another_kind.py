# expect: earns everything
# Answers a proof with a picture in a format that pages do not show, under a name with blanks.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.nbgrader.solution:
            cell.source = "See ![my proof](attachment:my%20proof.gif)."
            cell.attachments = {"my proof.gif": {"image/gif": "R0lGODlhAQABAAAAACw="}}
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
