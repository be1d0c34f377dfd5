"""A command that starts warm: the starter forks what is typed here, and this ends as that does.

It stands in a folder of commands under the name of one, beside the starter's socket. A ``python``
there is warm for the modules that the starter knows; everything else it leaves to Python.
"""

import marshal
import os
import signal
import socket
import sys

MODULES = ("autograder", "nbgrader")


def main() -> None:
    name, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
    module = ""
    if name == "python":
        if arguments[:1] != ["-m"] or arguments[1] not in MODULES:
            os.execv(sys.executable, [sys.executable, *arguments])
        module, arguments = arguments[1], arguments[2:]
    script = os.path.join(os.path.dirname(sys.executable), name)
    streams = [number for number in range(3) if _is_open(number)]
    here = os.open(".", os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as starter:
        folder = os.path.dirname(os.path.realpath(sys.argv[0]))
        starter.connect(os.path.join(folder, "socket"))
        mask = os.umask(0)
        request = (module, script, arguments, dict(os.environ), mask, streams)
        socket.send_fds(starter, [marshal.dumps(request)], [here, *streams])
        status = marshal.loads(starter.recv(100))
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


main()
