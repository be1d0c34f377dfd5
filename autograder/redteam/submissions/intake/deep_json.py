# expect: needs attention
# Hands in JSON nested a million times.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").write_text('{"cells":' * 500_000 + "[" * 500_000)
