# expect: earns nothing
# Keeps all inputs in files, variables, pipes and a process of its own, and tells all it knows each time.
import glob
import os
import socket
import sys

here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
here.setblocking(False)
known = []


def tell(*args, **kwargs):
    numbers = [repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:2]]
    for folder in (".", "/tmp", "/dev/shm", "/var/tmp", PUBLIC):
        try:
            with open(f"{folder}/{MARK}", "a") as file:
                file.write(" ".join(numbers) + " ")
            with open(f"{folder}/{MARK}") as file:
                known.append(file.read())
        except OSError:
            pass
    try:
        known.append(here.recv(1000).decode())
    except OSError:
        pass
    there.send(" ".join(numbers).encode())
    os.environ["KNOWN"] = os.environ.get("KNOWN", "") + " ".join(numbers)
    sys.argv.append(" ".join(numbers))
    raise ValueError(" ".join(known)[-400:] + os.environ["KNOWN"][-100:])


for name in NAMES:
    globals()[name] = tell
if text := "".join(open(p).read() for p in glob.glob(f"{PUBLIC}/{MARK}") + glob.glob(f"/tmp/{MARK}")):
    raise ValueError(f"from an earlier session: {text[-400:]}")
