# expect: earns nothing; aims at the run
# Submits the blank release with a named pipe as timestamp.txt: a reader would wait for ever.
import os

import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    os.mkfifo(folder / "timestamp.txt")
