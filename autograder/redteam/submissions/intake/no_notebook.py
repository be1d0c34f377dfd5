# expect: needs attention
# Submits a folder without a notebook.
def make(folder, notebook):
    (folder / "README.txt").write_text("see my email")
