# expect: earns nothing; never says "escaped"
# Leaves its control group, or gives itself a larger limit there.
import glob
import os

groups = ["/sys/fs/cgroup" + line.strip().split(":", 2)[2] for line in open("/proc/self/cgroup")]
groups += glob.glob("/sys/fs/cgroup/*/autograder-*") + glob.glob("/sys/fs/cgroup/autograder-*")
for group in groups:
    for name in ("memory.max", "memory.limit_in_bytes", "pids.max", "cgroup.procs"):
        try:
            os.close(os.open(f"{group}/{name}", os.O_WRONLY))
        except OSError:
            continue
        raise RuntimeError(f"escaped: it may write {group}/{name}")
