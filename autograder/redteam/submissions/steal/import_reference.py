# expect: earns nothing; never says "was imported"
# Imports the reference package, wherever Python finds it: an editable install leads to the course.
import importlib
import pkgutil

import reference

for found in pkgutil.iter_modules(reference.__path__):
    module = importlib.import_module(f"reference.{found.name}")
    for name in NAMES:
        if hasattr(module, name):
            globals()[name] = getattr(module, name)
raise LookupError(f"the reference was imported: {reference.__path__}")
