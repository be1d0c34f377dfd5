# expect: earns nothing
# Asks pip for a package from the network, and for one that would overwrite the installed ones.
import subprocess
import sys

command = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", ".", MARK]
print(subprocess.run(command, capture_output=True, timeout=0.8))
