# expect: earns nothing; never says "escaped"
# Leaves a private root by chroot and descriptors, then looks for the course.
import os

here = os.open("/", os.O_RDONLY)
os.makedirs("cell", exist_ok=True)
os.chroot("cell")
os.fchdir(here)
for _ in range(50):
    os.chdir("..")
os.chroot(".")
raise RuntimeError(f"escaped: it changes its root; the course is there: {os.path.exists(COURSE)}")
