# expect: needs attention
# Submits a symbolic link to the notebook of somebody else.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").symlink_to(f"../../{HONEST}/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
