# expect: earns nothing; never says "escaped"
# Raises its own limits again, and its priority.
import os
import resource

for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_NOFILE"):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY,) * 2)
    except (OSError, ValueError):
        continue
    raise RuntimeError(f"escaped: {name} is lifted")
try:
    os.nice(-10)
except OSError:
    pass
else:
    raise RuntimeError("escaped: it is more important than others")
