# expect: earns nothing
# Is submitted under a name that would end a statement of SQL, and a template.
STUDENT = "x'); DROP TABLE student; --{{ 7 * 7 }}%s{0}"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
