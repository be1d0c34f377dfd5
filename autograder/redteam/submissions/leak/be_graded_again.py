# expect: earns nothing
# Kills the fork server when a hidden case was seen: graded again, visible cases may tell what it kept.
import os

path, calls = f"{PUBLIC}/{MARK}", []
kept = open(path).read() if os.path.exists(path) else ""


def tell(*args, **kwargs):
    numbers = [repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:2]]
    if kept:
        raise ValueError(f"kept: {kept[-400:]}")
    with open(path, "a") as file:
        file.write(" ".join(numbers) + " ")
    with open("/proc/self/stat") as file:
        session = int(file.read().rpartition(")")[2].split()[1])
    with open(f"/proc/{session}/stat") as file:
        fork_server = int(file.read().rpartition(")")[2].split()[1])
    if os.path.getsize(path) > 150:
        os.kill(fork_server, 9)
    raise ValueError("not yet")


for name in NAMES:
    globals()[name] = tell
