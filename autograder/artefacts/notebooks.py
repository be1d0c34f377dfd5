"""nbformat, imported without grammars that no notebook needs.

jsonschema, which it brings along, builds a grammar of internationalised addresses whenever that
package is installed, as it is with Jupyter: 0.8 s in every process that reads a notebook. Another
package is for periods of time, and brings a calendar of its own.
"""

import sys

_hidden = {"rfc3987_syntax", "isoduration"} - sys.modules.keys()
# Import takes them for not installed.
sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]
try:
    import nbformat
finally:
    for name in _hidden:
        del sys.modules[name]

__all__ = ["nbformat"]
