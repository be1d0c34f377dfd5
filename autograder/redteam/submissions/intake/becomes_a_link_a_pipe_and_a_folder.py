# expect: earns nothing or needs attention; aims at the run
# Is a notebook, a link to somebody else's, a pipe and a folder, while the class is graded.
import os

import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")


def meddle(folder, notebook, over):
    path, aside = folder / f"{folder.name}.ipynb", folder / "aside"
    path.rename(aside)
    while not over.wait(0.003):
        os.link(aside, path)
        over.wait(0.003)
        path.unlink()
        path.symlink_to(f"../../{HONEST}/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
        over.wait(0.003)
        path.unlink()
        os.mkfifo(path)
        over.wait(0.003)
        path.unlink()
        path.mkdir()
        over.wait(0.003)
        path.rmdir()
