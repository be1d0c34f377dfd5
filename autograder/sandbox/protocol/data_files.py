"""Files: an assignment's data on its way into the working directory of a session."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["as_bodies", "of_bodies", "put_files"]

Bytes = bytes | bytearray | memoryview


def as_bodies(files: Mapping[str, bytes]) -> list[bytes]:
    """Return files by path as bodies of a message: their paths and sizes, then all their bytes."""
    if not files:
        return []
    index = [(path, len(data)) for path, data in files.items()]
    return [json.dumps(index).encode(), b"".join(files.values())]


def of_bodies(bodies: Sequence[Bytes]) -> dict[str, Bytes]:
    """Return the files by path that such bodies hold."""
    if not bodies:
        return {}
    files: dict[str, Bytes] = {}
    begin, data = 0, memoryview(bodies[1])
    for path, size in json.loads(bytes(bodies[0])):
        files[path] = data[begin : begin + size]
        begin += size
    return files


def put_files(files: Mapping[str, Bytes]) -> None:
    """Write files by their paths below the working directory."""
    for path, data in files.items():
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
