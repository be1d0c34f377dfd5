# expect: earns nothing
# Is submitted under a name that the library that prints tables takes for markup.
STUDENT = "[bold red]x[blink][b] :smile: {task.total} %s"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
