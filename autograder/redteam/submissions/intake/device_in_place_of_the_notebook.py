# expect: needs attention
# Submits a device that never ends, where it may make one, else a link to it.
import os
import stat


def make(folder, notebook):
    path = folder / f"{folder.name}.ipynb"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except OSError:
        path.symlink_to("/dev/zero")
