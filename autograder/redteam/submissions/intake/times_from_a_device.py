# expect: earns nothing; aims at the run
# Submits the blank release with a timestamp.txt that links to an endless device.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    (folder / "timestamp.txt").symlink_to("/dev/zero")
