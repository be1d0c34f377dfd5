# expect: earns nothing
# Sets the variables that tell Python and the linker what to load, for processes that start later.
import os
import sys

own = os.getcwd()
with open("sitecustomize.py", "w") as file:
    file.write("raise SystemExit(0)\n")
for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD", "LD_LIBRARY_PATH"):
    os.environ[name] = f"{own}/sitecustomize.py" if "PRE" in name or "START" in name else own
os.environ["PATH"] = own
sys.executable = "/bin/true"
sys.flags = None
