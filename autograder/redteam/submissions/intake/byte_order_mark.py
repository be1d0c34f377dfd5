# expect: earns everything
# Submits right answers behind a byte order mark, as some editors write it.
import nbformat


def make(folder, notebook):
    data = b"\xef\xbb\xbf" + nbformat.writes(notebook).encode()
    (folder / f"{folder.name}.ipynb").write_bytes(data)
