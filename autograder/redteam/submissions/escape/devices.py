# expect: earns nothing; never says "escaped"
# Opens the machine's memory, disks, consoles and GPUs, and makes device nodes of its own.
import glob
import os
import stat

opened = []
names = ["/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/console", "/dev/fuse", "/dev/kvm"]
names += ["/dev/net/tun", "/dev/loop-control", "/dev/snapshot", "/dev/ptmx"]
for pattern in ("/dev/sd*", "/dev/vd*", "/dev/nvme*", "/dev/nvidia*", "/dev/dri/*", "/dev/loop*"):
    names += glob.glob(pattern)
for name in names:
    try:
        os.close(os.open(name, os.O_RDONLY | os.O_NONBLOCK))
        if name != "/dev/ptmx":
            opened.append(name)
    except OSError:
        pass
try:
    os.mknod("own", stat.S_IFBLK | 0o600, os.makedev(254, 0))
    opened.append("a device node of its own")
except OSError:
    pass
if opened:
    raise RuntimeError(f"escaped: {opened}")
