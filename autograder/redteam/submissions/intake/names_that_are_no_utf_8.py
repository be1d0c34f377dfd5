# expect: earns everything
# Submits right answers beside files whose names are no UTF-8, are very long or hold line breaks.
import os

import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    for name in (b"\xff\xfe.ipynb", b"a\nb.ipynb", b"n" * 255, b"-rf", b"$(touch x)", b" "):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"x")
