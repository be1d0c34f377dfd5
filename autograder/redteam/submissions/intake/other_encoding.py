# expect: needs attention
# Submits right answers in UTF-16.
import nbformat


def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").write_bytes(nbformat.writes(notebook).encode("utf-16"))
