"""Run a program as somebody else, though we are root and the interpreter is in root's home.

    python tests/somebody.py [--in FOLDER] user|container PROGRAM [ARGUMENT ...]

``user`` is an ordinary user, ``container`` is root as a container has it, who may not mount. In a
mount namespace of its own, the folders above the interpreter that only root may enter are replaced
by empty ones in which the same interpreter stands.
"""

import os
import sys
import tempfile

from autograder.sandbox import kernel
from autograder.sandbox.isolation.box import readable_paths

USER = 12345
PR_CAPBSET_DROP, CAP_SYS_ADMIN = 24, 21


def main(who, *command):
    folder = None
    if who == "--in":
        folder, who, *command = command
    kernel.unshare(kernel.Namespace.MOUNT)
    kernel.make_mounts_private()
    closed = {parent for path in readable_paths([]) for parent in closed_parents(path)}
    for parent in closed:
        reopen(parent, [p for p in readable_paths([]) if p.startswith(f"{parent}/")])
    os.environ["HOME"] = home = tempfile.mkdtemp(prefix="ordinary-")
    os.chdir(folder or home)
    if who == "user":
        os.chown(home, USER, USER)
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
    else:
        kernel._prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)
    os.execv(command[0], command)


def closed_parents(path):
    """Give the outermost folder above a path that only its owner may enter."""
    parts = path.split("/")
    for i in range(2, len(parts)):
        folder = "/".join(parts[:i])
        if not os.stat(folder).st_mode & 0o001:
            return [folder]
    return []


def reopen(folder, paths):
    kernel.mount("tmpfs", "/mnt", "mode=755")
    for i, path in enumerate(paths):
        os.mkdir(f"/mnt/{i}")
        kernel.bind(path, f"/mnt/{i}")
    kernel.mount("tmpfs", folder, "mode=755")
    for i, path in enumerate(paths):
        os.makedirs(path)
        kernel.bind(f"/mnt/{i}", path)
    kernel.detach("/mnt")


if __name__ == "__main__":
    main(*sys.argv[1:])
