# expect: earns everything
# Submits right answers in a format that does not exist yet.
import json

import nbformat


def make(folder, notebook):
    whole = json.loads(nbformat.writes(notebook))
    whole["nbformat"], whole["nbformat_minor"] = 99, "none"
    (folder / f"{folder.name}.ipynb").write_text(json.dumps(whole))
