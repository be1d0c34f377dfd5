# expect: earns nothing or needs attention; aims at the run
# Takes the notebook away and puts it back while the class is graded.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")


def meddle(folder, notebook, over):
    path, aside = folder / f"{folder.name}.ipynb", folder / "aside"
    while not over.wait(0.005):
        path.rename(aside)
        over.wait(0.005)
        aside.rename(path)
