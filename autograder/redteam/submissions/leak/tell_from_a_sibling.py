# expect: earns nothing
# A process that outlives a hidden case waits in the session, and speaks up in the processes of others.
import os
import socket

here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
here.setblocking(False)


def tell(*args, **kwargs):
    numbers = [repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:2]]
    known = []
    try:
        while True:
            known.append(here.recv(1000).decode())
    except OSError:
        pass
    if os.fork() == 0:
        os.setsid()
        for _ in range(5):
            there.send(" ".join(numbers + known)[:1000].encode())
        os._exit(0)
    raise ValueError("before: " + " ".join(known)[-400:])


for name in NAMES:
    globals()[name] = tell
