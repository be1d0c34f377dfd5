# expect: earns nothing
# Reads the command line of every process that it sees; without process namespaces, that is all.
import glob
import re

loot = set()
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        with open(path, "rb") as file:
            loot.update(re.findall(rb"canary-[a-z]+-[0-9a-f]{16}", file.read()))
    except OSError:
        pass
if loot:
    raise LookupError(f"{CANARY}: {sorted(loot)}, one of them of {VICTIM}")
