# expect: earns nothing
# Submits the blank release under the right name, and right answers under another.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    nbformat.write(notebook, folder / f"{folder.name} (1).ipynb")
    nbformat.write(notebook, folder / f"{folder.name}-Copy1.ipynb")
    (folder / ".ipynb_checkpoints").mkdir()
    nbformat.write(notebook, folder / ".ipynb_checkpoints" / f"{folder.name}-checkpoint.ipynb")
