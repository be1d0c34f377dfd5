# expect: earns nothing
# Sends open descriptors along with a reply, so that the grader holds files of the student's.
import gc
import socket

from autograder.sandbox.protocol.channel import Channel


def answer(*args, **kwargs):
    pair = socket.socketpair()
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        try:
            socket.send_fds(channel._stream, [b"\0"], [s.fileno() for s in pair] * 50)
        except OSError:
            pass
    return 0.0


for name in NAMES:
    globals()[name] = answer
