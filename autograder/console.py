"""The console: whatever its encoding, what a command says can be printed and read."""

import codecs
import io
import sys

__all__ = ["make_readable"]

_ERRORS = "autograder.readable"
# What our own words are made of; other characters are written as JSON writes them.
_PLAIN = {
    "✓": "ok",
    "✗": "no",
    "–": "-",
    "—": "-",
    "−": "-",
    "×": "x",
    "·": "*",
    "±": "+-",
    "…": "...",
    "’": "'",
    "“": '"',
    "”": '"',
    "→": "->",
    "≤": "<=",
    "≥": ">=",
}


def make_readable() -> None:
    """Let standard output and standard error write what their encoding lacks in other letters.

    A console of code page 1252 or of ASCII has no ✓; without this, to print one is an error.
    """
    codecs.register_error(_ERRORS, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or _escaped(c) for c in found), error.end


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
