# expect: earns nothing; aims at the run
# Submits the blank release with a timestamp.txt of a terabyte that holds nothing.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    with open(folder / "timestamp.txt", "wb") as file:
        file.truncate(1 << 40)
