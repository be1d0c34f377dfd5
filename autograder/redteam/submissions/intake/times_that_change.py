# expect: earns nothing; aims at the run
# Has a time of submitting that becomes a link to the course's secret, and a pipe.
import os

import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    (folder / "timestamp.txt").write_text("2026-10-01 12:00:00 UTC")


def meddle(folder, notebook, over):
    path = folder / "timestamp.txt"
    while not over.wait(0.003):
        path.unlink()
        path.symlink_to(f"{COURSE}/../secret.txt")
        over.wait(0.003)
        path.unlink()
        os.mkfifo(path)
        over.wait(0.003)
        path.unlink()
        path.write_text("2026-10-02 12:00:00 UTC")
