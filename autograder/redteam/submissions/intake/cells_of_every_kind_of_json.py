# expect: earns nothing
# Submits the release among cells that are numbers, texts, lists, and whose parts are of other types.
import json

import nbformat

ODD = [
    None,
    7,
    "cell",
    [],
    {},
    {"cell_type": "code"},
    {"cell_type": 3, "source": 4, "metadata": 5, "outputs": 6},
    {"cell_type": "code", "source": ["1 +", 2, None, " 1"], "metadata": None, "outputs": {}},
    {"cell_type": "code", "source": "2", "metadata": {"nbgrader": []}, "outputs": [[], 3, None]},
    {"cell_type": "code", "source": "3", "metadata": {"nbgrader": {"grade_id": {}}}},
    {"cell_type": "markdown", "source": "text", "attachments": {"a": {"image/png": [1, 2]}}},
    {"cell_type": "heading", "source": "heading", "level": "x"},
    {"cell_type": "code", "input": "4", "outputs": [{"output_type": "stream", "text": {}}]},
    {"cell_type": "raw", "source": "\ud800 half a letter"},
]


def make(folder, notebook):
    whole = json.loads(nbformat.writes(notebook))
    whole["cells"] = [*ODD, *whole["cells"], *ODD]
    whole["metadata"] = "none"
    (folder / f"{folder.name}.ipynb").write_text(json.dumps(whole))
