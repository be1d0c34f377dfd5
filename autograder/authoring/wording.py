"""Wording: what draws are called, and what a domain says of its arguments together."""

from collections.abc import Mapping

__all__ = ["LEFT_OUT", "called", "worded"]

LEFT_OUT = "left out"  # the kind of an argument that may be left out


def called(odd: Mapping[str, str]) -> str:
    """Return what a draw is called by its kinds that are not typical, by factor.

    What several arguments have alike is said once: ``w/grad strided, lr = 0``.
    """
    found: dict[str, list[str]] = {}  # by the kind: the arguments that are of it
    for factor, kind in odd.items():
        argument, of, _ = factor.partition(" ")
        says = f" {kind}" if of or kind == LEFT_OUT else f" = {kind}"
        found.setdefault(says, []).append(argument)
    return ", ".join(f"{'/'.join(names)}{kind}" for kind, names in found.items())


def worded(said: Mapping[str, str], edges: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return lines about arguments, of which each says a thing once, of all that have it.

    Args:
        said: of each argument.
        edges: of each argument too: what else there may be, by what it is about.
    """
    alike: dict[str, list[str]] = {}
    also: dict[tuple[str, str], list[str]] = {}
    for name, text in said.items():
        alike.setdefault(text, []).append(name)
        for about in edges[name].items():
            also.setdefault(about, []).append(name)
    lines = [f"{', '.join(names)}: {text}" for text, names in alike.items()]
    by_subject = sorted(also.items(), key=lambda edge: edge[0][0], reverse=True)
    for (what, text), names in by_subject:
        lines.append(f"{what} {', '.join(names)}: also {text}")
    return lines
