# expect: needs attention
# Submits a text that is no JSON.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").write_text("{'cells': [My laptop died")
