# expect: needs attention
# Hands in a file of no bytes.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").touch()
