# expect: needs attention
# Hands in a folder without a notebook.
def make(folder, notebook):
    (folder / "README.txt").write_text("see my email")
