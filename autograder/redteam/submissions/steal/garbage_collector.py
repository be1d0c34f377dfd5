# expect: earns nothing
# Searches all objects of its process for functions with the right names, secrets and bundles.
import gc
import types


def find(name):
    for item in gc.get_objects():
        if isinstance(item, types.FunctionType) and item.__name__ == name:
            if item.__globals__ is not globals():
                return item
        if isinstance(item, dict):
            for key, value in list(item.items()):
                if isinstance(value, str) and CANARY in value and value != CANARY:
                    raise LookupError(value[:400])
                if isinstance(key, str) and "reference" in key and callable(value):
                    return value
    return None


for name in NAMES:
    globals()[name] = find(name)
