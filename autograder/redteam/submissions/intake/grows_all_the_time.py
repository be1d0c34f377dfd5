# expect: earns nothing or needs attention; aims at the run
# Writes on in the notebook while the class is graded, to more than is read of one.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")


def meddle(folder, notebook, over):
    with (folder / f"{folder.name}.ipynb").open("ab") as file:
        while not over.wait(0.01) and file.tell() < 100 << 20:
            file.write(b" " * (1 << 20))
            file.flush()
