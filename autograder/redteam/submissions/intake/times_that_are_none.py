# expect: earns everything
# Submits right answers with a timestamp.txt that no calendar has.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    times = "99999999999-99-99 25:61:61 UTC+99:99\0\n2026-01-01"
    (folder / "timestamp.txt").write_text(times)
