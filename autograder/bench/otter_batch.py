"""Grades submissions with Otter's own function, in one process; runs in Otter's environment.

Usage: python otter_batch.py ARCHIVE SCORES SUBMISSION...
"""

import json
import sys
from pathlib import Path

__all__ = ["main"]


def main(archive: str, out: str, *paths: str) -> None:
    """Write the points of each submission's questions as JSON, by the file's name."""
    from otter.api import grade_submission  # type: ignore[import-not-found]  # its environment's

    scores = {}
    for path in paths:
        with Path(out).with_suffix(".log").open("a", encoding="utf-8") as log:
            log.write(f"{path}\n")
        results = grade_submission(path, archive, quiet=True)
        scores[Path(path).stem] = {
            name: float(entry["score"])
            for name, entry in results.to_dict().items()
            if isinstance(entry, dict) and "score" in entry
        }
    Path(out).write_text(json.dumps(scores), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
