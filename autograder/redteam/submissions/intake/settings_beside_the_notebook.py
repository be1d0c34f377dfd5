# expect: earns nothing
# Submits settings of nbgrader, Jupyter and the grader, and a bundle, a result and a gradebook.
import json

import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    for name in ("nbgrader_config.py", "jupyter_config.py", "ipython_config.py"):
        (folder / name).write_text(f"open({f'{PUBLIC}/{MARK}'!r}, 'w')\n")
        (folder.parent / name).write_text(f"open({f'{PUBLIC}/{MARK}'!r}, 'w')\n")
    (folder / "course.toml").write_text("[limits]\ncall_seconds = 1000\n")
    (folder / f"{folder.name}.bundle").write_bytes(b"PK")
    (folder / f"{folder.name}.json").write_text(json.dumps({"earned": 100, "schema": 1}))
    (folder / "gradebook.db").write_bytes(b"SQLite format 3\0")
