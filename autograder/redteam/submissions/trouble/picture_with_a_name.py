# expect: earns everything
# Answers a proof with a picture whose name has blanks, letters beyond ASCII and signs of Markdown.
import base64

import nbformat

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def make(folder, notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.nbgrader.solution:
            cell.source = "See ![one](attachment:L%C3%B6sung%201.png), ![two](attachment:Lösung.png)"
            cell.source += ", ![three](attachment:a\\_b.png) and ![four](attachment:a&amp;b.png)."
            names = ("Lösung 1.png", "Lösung.png", "a\\_b.png", "a&amp;b.png", "a_b.png")
            cell.attachments = {name: {"image/png": PICTURE} for name in names}
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
