# expect: earns nothing
# Reads the environment and the arguments of every process that it sees.
import glob
import re

loot = set()
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try:
        with open(path, "rb") as file:
            loot.update(re.findall(rb"canary-[a-z]+-[0-9a-f]{16}", file.read()))
    except OSError:
        pass
if loot:
    raise LookupError(f"{CANARY}: {sorted(loot)}")
