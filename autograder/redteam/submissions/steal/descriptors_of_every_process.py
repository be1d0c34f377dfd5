# expect: earns nothing; never says "another process"
# Opens what other processes hold open, through /proc/*/fd.
import glob
import os
import re

loot = set()
for path in glob.glob("/proc/[0-9]*/fd/*"):
    try:
        if os.path.isfile(path) and os.path.getsize(path) < 1 << 20:
            with open(path, "rb") as file:
                loot.update(re.findall(rb"canary-[a-z]+-[0-9a-f]{16}", file.read()))
        if path.split("/")[2] not in ("self", "thread-self", str(os.getpid())):
            loot.add(b"canary: " + os.fsencode(os.readlink(path)))
    except OSError:
        pass
if loot:
    raise LookupError(f"another process's descriptors: {len(loot)}, {CANARY}: {sorted(loot)[:3]}")
