"""nbformat, imported without a grammar that no notebook needs.

jsonschema, which it brings along, builds a grammar of internationalised addresses whenever that
package is installed, as it is with Jupyter: 0.8 s in every process that reads a notebook.
"""

import sys

_GRAMMAR = "rfc3987_syntax"
_hidden = _GRAMMAR not in sys.modules
if _hidden:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # import takes it for not installed
try:
    import nbformat
finally:
    if _hidden:
        del sys.modules[_GRAMMAR]

__all__ = ["nbformat"]
