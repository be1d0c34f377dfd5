"""What lies in a store: all results of a student, which nothing but a test reads at once."""

from autograder.artefacts.results import Result, load_result
from autograder.records.store import Store


def history(store: Store, student: str) -> list[Result]:
    """Return all results of a student, the oldest first."""
    paths = (store.folder / "history" / student).glob("*.json")
    return sorted((load_result(path.read_bytes()) for path in paths), key=lambda r: r.graded_at)
