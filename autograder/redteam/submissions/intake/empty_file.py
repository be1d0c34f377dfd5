# expect: needs attention
# Submits a file of no bytes.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").touch()
