# expect: needs attention
# Submits a named pipe, from which a reader would wait for ever.
import os


def make(folder, notebook):
    os.mkfifo(folder / f"{folder.name}.ipynb")
