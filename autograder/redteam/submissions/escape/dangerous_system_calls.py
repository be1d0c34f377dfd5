# expect: earns nothing; never says "escaped"
# Makes system calls that no notebook needs, with arguments that do nothing, to see which are refused.
import ctypes
import errno
import platform

CALLS = {
    "x86_64": {
        "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425,
        "kexec_load": 246, "init_module": 175, "swapon": 167, "open_by_handle_at": 304,
        "fanotify_init": 300, "move_mount": 429, "fsopen": 430, "pivot_root": 155, "acct": 163,
        "quotactl": 179, "settimeofday": 164, "sethostname": 170, "iopl": 172, "syslog": 103,
    },
    "aarch64": {
        "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425,
        "kexec_load": 104, "init_module": 105, "swapon": 224, "open_by_handle_at": 265,
        "fanotify_init": 262, "move_mount": 429, "fsopen": 430, "pivot_root": 41, "acct": 89,
    },
}  # fmt: skip
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
libc = ctypes.CDLL(None, use_errno=True)
allowed = []
for name, number in CALLS[platform.machine()].items():
    ctypes.set_errno(0)
    arguments = (-1, -1, -1) if name in ("acct", "swapon", "sethostname") else (None, None, None)
    result = libc.syscall(number, *arguments, 0, 0)
    if result >= 0 or ctypes.get_errno() not in REFUSED:
        allowed.append(name)
if allowed:
    raise RuntimeError(f"escaped: {allowed}")
