# expect: earns nothing or needs attention; aims at the run
# Replaces its folder by a link to that of somebody else, and back, while the class is graded.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")


def meddle(folder, notebook, over):
    aside = folder.with_name("aside")
    while not over.wait(0.003):
        folder.rename(aside)
        folder.symlink_to(f"../{HONEST}/{ASSIGNMENT}")
        over.wait(0.003)
        folder.unlink()
        aside.rename(folder)
