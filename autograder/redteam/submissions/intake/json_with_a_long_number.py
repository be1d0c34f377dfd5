# expect: needs attention
# Submits JSON with a number of a million digits, which takes long to read.
def make(folder, notebook):
    number = "9" * 1_000_000
    text = '{"cells": [], "nbformat": %s}' % number
    (folder / f"{folder.name}.ipynb").write_text(text)
