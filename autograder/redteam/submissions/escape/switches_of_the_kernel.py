# expect: earns nothing; never says "escaped"
# Opens for writing what steers the kernel: its core pattern, its requests, its module loader.
import glob
import os

places = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/modprobe"]
places += ["/proc/sys/vm/drop_caches", "/sys/kernel/uevent_helper", "/sys/power/state"]
places += ["/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent"]
places += glob.glob("/sys/fs/cgroup/**/autograder-*/cgroup.procs", recursive=False)
opened = []
for place in places:
    try:
        os.close(os.open(place, os.O_WRONLY))
        opened.append(place)
    except OSError:
        pass
if opened:
    raise RuntimeError(f"escaped: it may write {opened}")
