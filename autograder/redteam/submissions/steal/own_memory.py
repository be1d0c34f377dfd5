# expect: earns nothing
# Reads the memory that the process inherited from the fork server, by /proc/self/maps and mem.
import re

loot = set()
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        span, rights = line.split()[:2]
        first, last = (int(number, 16) for number in span.split("-"))
        if rights.startswith("rw") and last - first < 64 << 20:
            try:
                memory.seek(first)
                found = re.findall(rb"canary-[a-z]+-[0-9a-f]{16}", memory.read(last - first))
                loot.update(found)
            except (OSError, ValueError):
                pass
if loot:
    raise LookupError(f"{CANARY}: {sorted(loot)}")
