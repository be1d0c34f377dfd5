# expect: needs attention
# Submits JSON that is a notebook in nothing but its name.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").write_text('[{"cells": 3}, null, 1e999]')
