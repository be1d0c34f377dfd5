# expect: needs attention
# Submits a compressed notebook under the notebook's name.
import gzip

import nbformat


def make(folder, notebook):
    data = gzip.compress(nbformat.writes(notebook).encode())
    (folder / f"{folder.name}.ipynb").write_bytes(data)
