# expect: needs attention
# Submits JSON nested a million times.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").write_text('{"cells":' * 500_000 + "[" * 500_000)
