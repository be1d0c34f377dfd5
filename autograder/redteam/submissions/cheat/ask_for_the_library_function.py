# expect: earns nothing
# Looks for a function with the name that is asked for in every module that is loaded.
import sys


def search(name):
    for module in list(sys.modules.values()):
        for candidate in (name, name.removesuffix("_step"), name.replace("_", "")):
            found = getattr(module, candidate, None)
            if callable(found) and module.__name__ != "__main__":
                return found
    return None


for name in NAMES:
    globals()[name] = search(name)
