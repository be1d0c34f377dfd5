"""The figures: computed from what was measured, printed, and put into a page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.errors import UsageError

__all__ = ["BEGIN", "END", "figures", "lines", "publish", "replaced", "require_marks"]

BEGIN = "<!-- written by make bench: begin -->"
END = "<!-- written by make bench: end -->"
Raw = Mapping[str, Any]


def figures(raw: Raw) -> dict[str, Any]:
    """Return the figures by their names; one whose parts are missing is None."""
    own, sizes = _part(raw, "ours"), _sizes(raw)
    sessions = _part(raw, "sessions")
    found: dict[str, Any] = {}
    for peer in ("nbgrader", "otter"):
        other = _part(raw, peer)
        found[f"cpu_ratio_{peer}"] = _ratio(other.get("cpu"), own.get("cpu"))
        found[f"throughput_ratio_{peer}"] = _ratio(own.get("a_minute"), other.get("a_minute"))
        found[f"marginal_cpu_ratio_{peer}"] = _ratio(other.get("marginal_cpu"), marginal_cpu(raw))
        walls = other.get("marginal_wall"), _marginal(raw, "wall")
        found[f"marginal_throughput_ratio_{peer}"] = _ratio(*walls)
    least, ours = _part(raw, "overhead").get("cpu"), marginal_cpu(raw)
    found["marginal_cpu_ms"] = None if ours is None else 1000 * ours
    found["overhead_cpu_ms"] = 1000 * (ours - least) if ours and least else None
    found["first_line_ms"] = sessions.get("first_line")
    found["standby_first_line_ms"] = sessions.get("standby_first_line")
    found["session_private_mb"] = sessions.get("memory", {}).get("private_mb")
    found["scaling_10000_over_100"] = _ratio(
        sizes.get(10_000, {}).get("cpu"), sizes.get(100, {}).get("cpu")
    )
    found["scaling"] = (
        {
            "sizes": [min(sizes), max(sizes)],
            "whole": _ratio(sizes[max(sizes)]["cpu"], sizes[min(sizes)]["cpu"]),
        }
        if sizes
        else None
    )
    best = sizes[max(sizes)] if sizes else own
    found["submissions_per_minute"] = best.get("a_minute")
    return found


def marginal_cpu(raw: Raw) -> float | None:
    """Return the seconds of CPU of one more submission of ours."""
    return _marginal(raw, "cpu")


def lines(raw: Raw) -> list[str]:
    """Return the table as text."""
    return [*_machine(raw), "", *_side_by_side(raw), "", *_alone(raw), "", *_scale(raw)]


def publish(page: Path, raw: Raw) -> None:
    """Put the tables between the marks of a page."""
    text = page.read_text(encoding="utf-8")
    page.write_text(replaced(text, "\n".join(lines(raw))), encoding="utf-8")


def require_marks(page: Path) -> None:
    """Make sure that there is a page with a place for the figures.

    Raises:
        UsageError: there is none.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    if BEGIN not in text or END not in text.partition(BEGIN)[2]:
        raise UsageError(f"{page} has no place for the figures: {BEGIN}, and below it {END}")


def replaced(text: str, block: str) -> str:
    """Return a text with a block between its marks, and nothing else changed."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def _machine(raw: Raw) -> Iterator[str]:
    machine = raw.get("machine", {})
    yield (
        f"{machine.get('cores')} cores, {machine.get('processor')}, {machine.get('memory')}, "
        f"Linux {machine.get('kernel')}; Python {machine.get('python')}, "
        f"PyTorch {machine.get('torch')}, NumPy {machine.get('numpy')}, "
        f"autograder {machine.get('autograder')}."
    )


def _side_by_side(raw: Raw) -> Iterator[str]:
    own, nbgrader, otter = (_part(raw, name) for name in ("ours", "nbgrader", "otter"))
    columns = (own, nbgrader, otter)
    found = figures(raw)
    count = own.get("submissions", "–")
    yield f"| a class of {count} | autograder | nbgrader 0.9.6 | Otter 7.0.0 |"
    yield "|---|---|---|---|"
    yield _row("CPU for each, start-up included (ms)", *(_ms(c.get("cpu")) for c in columns))
    marginal = (marginal_cpu(raw), nbgrader.get("marginal_cpu"), otter.get("marginal_cpu"))
    yield _row("CPU for one more (ms)", *map(_ms, marginal))
    yield _row("wall for each, start-up included (ms)", *(_ms(c.get("wall")) for c in columns))
    yield _row("submissions a minute", *(_number(c.get("a_minute")) for c in columns))
    yield _row("peak memory (MB, PSS)", *(_number(c.get("peak_mb")) for c in columns))
    compiled = (
        _part(raw, "compile").get("audit", {}),
        *(c.get("compile", {}) for c in columns[1:]),
    )
    yield _row(
        "compile, ours with its audit (s wall)", *(_number(c.get("wall"), 1) for c in compiled)
    )
    for key, words in (
        ("cpu_ratio", "CPU, times ours, start-up included"),
        ("marginal_cpu_ratio", "CPU for one more, times ours"),
        ("throughput_ratio", "our submissions a minute, times theirs"),
        ("marginal_throughput_ratio", "the same, beyond start-up"),
    ):
        values = [found[f"{key}_{peer}"] for peer in ("nbgrader", "otter")]
        yield _row(words, "1", *(_number(value, 1) for value in values))
    for name in ("ours", "nbgrader", "otter"):
        if failed := raw.get(name, {}).get("failed"):
            yield ""
            yield f"{name} is missing: {failed.splitlines()[0]}"


def _alone(raw: Raw) -> Iterator[str]:
    found, sessions = figures(raw), _part(raw, "sessions")
    compiled = _part(raw, "compile")
    least = _part(raw, "overhead").get("cpu")
    yield "| autograder alone | measured | target |"
    yield "|---|---|---|"
    yield _row("the same cells and checks in one warm process (ms CPU)", _ms(least), "")
    yield _row("overhead beyond that (ms CPU)", _number(found["overhead_cpu_ms"], 1), "≤ 30")
    for key, words, target in (
        ("first_line_ms", "to the first line of a student (ms)", "≤ 15 / 30"),
        ("standby_first_line_ms", "the same, a session in reserve (ms)", "≤ 2"),
    ):
        spread = found[key] or {}
        text = f"{_number(spread.get('median'), 1)} / {_number(spread.get('p90'), 1)}"
        yield _row(f"{words}, median / p90", text, target)
    private = _number(found["session_private_mb"], 1)
    yield _row("private memory of a session (MB)", private, "≤ 12")
    for key, words, target in (
        ("build", "compile without the audit (s)", "≤ 3"),
        ("audit", "compile with the audit (s)", ""),
        ("nothing", "nothing to compile (s)", "≤ 0.3"),
    ):
        yield _row(words, _number(compiled.get(key, {}).get("wall"), 2), target)
    canary = sessions.get("canary", {})
    words = f"the canary's {canary.get('escapes', '–')} escapes, once a worker (ms)"
    yield _row(words, _number(canary.get("ms")), "")
    yield _row("isolation level of the walls", str(sessions.get("isolation", "–")), "")


def _scale(raw: Raw) -> Iterator[str]:
    yield "| class | CPU each (ms) | submissions a minute | peak (MB) | driver early → late (MB) |"
    yield "|---|---|---|---|---|"
    for size, found in sorted(_sizes(raw).items()):
        drivers = [sample.get("driver", 0.0) for sample in found.get("memory", ())]
        early_late = f"{drivers[0]:.0f} → {drivers[-1]:.0f}" if drivers else "–"
        values = (_ms(found["cpu"]), _number(found["a_minute"]), _number(found["peak_mb"]))
        yield _row(f"{size:,}", *values, early_late)


def _part(raw: Raw, name: str) -> dict[str, Any]:
    """Return what a part found; nothing if it failed or was not run."""
    found: dict[str, Any] = raw.get(name, {})
    return {} if "failed" in found else found


def _sizes(raw: Raw) -> dict[int, dict[str, Any]]:
    return {int(size): found for size, found in raw.get("scale", {}).items() if size.isdigit()}


def _marginal(raw: Raw, key: str) -> float | None:
    """Return what one more submission of ours costs, from the two smallest classes."""
    sizes = _sizes(raw)
    if len(sizes) < 2:
        return None
    low, high = sorted(sizes)[:2]
    more: float = high * sizes[high][key] - low * sizes[low][key]
    return more / (high - low)


def _ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over and under else None


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _ms(seconds: float | None) -> str:
    return _number(None if seconds is None else 1000 * seconds)


def _number(value: float | None, places: int = 0) -> str:
    return "–" if value is None else f"{value:,.{places}f}"
