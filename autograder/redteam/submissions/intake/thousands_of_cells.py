# expect: needs attention
# Submits a hundred thousand cells.
import json

import nbformat


def make(folder, notebook):
    whole = json.loads(nbformat.writes(notebook))
    whole["cells"] += [{"cell_type": "code", "source": "1", "metadata": {}}] * 100_000
    (folder / f"{folder.name}.ipynb").write_text(json.dumps(whole))
