# expect: needs attention
# Submits a folder with the notebook's name.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").mkdir()
