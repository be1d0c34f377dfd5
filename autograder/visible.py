"""Characters that steer a terminal or the reading direction, and how they are made visible.

A student chooses the name of a folder, and it is printed, exported and shown in pages beside
others. Whatever is printed goes through here.
"""

import json
import re
from typing import Any

__all__ = ["STEERING", "json_text", "visible", "visible_lines"]

# Unicode's controls, formats (bidi overrides, invisible letters), separators and half surrogates,
# without line break, tab, and the two joiners that Persian and Hindi need.
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f\ud800-\udfff]"
)
_STEERING_OR_SPACE = re.compile(f"{STEERING.pattern}|[\n\t]")


def visible(text: str, limit: int | None = None) -> str:
    r"""Return text as one line in which each such character is written as in Python: ``\x1b``.

    Args:
        text: a student's name, say.
        limit: how many characters to return at most; a longer text ends in "…".
    """
    shown = _STEERING_OR_SPACE.sub(_escape, text if limit is None else text[: limit + 1])
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def visible_lines(text: str) -> str:
    """Return the same of a text of several lines, which stay lines."""
    return "\n".join(map(visible, text.split("\n")))


def json_text(value: Any) -> str:
    r"""Return JSON in plain ASCII, in which what steers a terminal stands as ``\u001b``."""
    return json.dumps(value, indent=1).replace("\x7f", "\\u007f")


def _escape(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
