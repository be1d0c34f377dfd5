# expect: earns everything
# Submits right answers in Jupyter's format 3, with worksheets and inputs.
import json

import nbformat


def make(folder, notebook):
    cells = []
    for cell in json.loads(nbformat.writes(notebook))["cells"]:
        cell["input"] = cell.pop("source")
        cells.append(cell)
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    (folder / f"{folder.name}.ipynb").write_text(json.dumps(old))
