"""Promises: what a domain says of its inputs, as comment lines that students read."""

import textwrap

from autograder.authoring.domains import Domain

__all__ = ["promise"]

COLUMNS = 88
_HEAD = "# The inputs may be:"


def promise(domain: Domain | None) -> list[str]:
    """Return the lines that say in words what a domain promises; none without a domain."""
    if domain is None:
        return []
    wrapper = textwrap.TextWrapper(
        COLUMNS,
        initial_indent="# - ",
        subsequent_indent="#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [_HEAD, *(line for words in domain.words() for line in wrapper.wrap(words))]
