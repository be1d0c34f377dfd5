# expect: needs attention
# Submits a file of a terabyte that holds nothing.
def make(folder, notebook):
    with open(folder / f"{folder.name}.ipynb", "wb") as file:
        file.truncate(1 << 40)
