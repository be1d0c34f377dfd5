# expect: earns nothing
# Writes modules into its folder and puts that first on the path, for whatever is imported later.
# %% first
import os
import sys

CODE = "def __getattr__(name): return lambda *a, **k: 0.0\n__path__ = []\n"
for name in ("numpy", "torch", "msgspec", "reference", "secrets", "traceback", "inspect"):
    with open(name + ".py", "w") as file:
        file.write(CODE)
sys.path.insert(0, os.getcwd())
sys.path_importer_cache.clear()
for name in [n for n in sys.modules if n.split(".")[0] in ("msgspec", "traceback", "inspect")]:
    del sys.modules[name]
