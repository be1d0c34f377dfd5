"""The supervisor: starts a fork server in its walls, and leaves nothing when either end is gone.

It is the program that a grader starts for a fork server, with a clean environment. It stands
outside of the walls, so that it sees every process behind them, and runs no student's code itself.
"""

import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from autograder.sandbox import kernel
from autograder.sandbox.client.overuse import GpuUse, end_overuse, nothing_to_look_at
from autograder.sandbox.inside import warm_process
from autograder.sandbox.isolation.cgroup import being_in, remove_group
from autograder.sandbox.isolation.walls import (
    SHARED_MEMORY,
    NotToBeHad,
    bubblewrap_command,
    kill_children,
    remove_tree,
    user_of,
)
from autograder.sandbox.limits import MB
from autograder.sandbox.protocol.channel import Channel, ChannelClosed
from autograder.sandbox.protocol.kinds import FROM_OWNER, Unavailable
from autograder.sandbox.protocol.settings import Settings

__all__ = ["main"]

LEAVING_SECONDS = 1.0  # for a fork server to end what it started
LOOK_SECONDS = 0.05  # between two looks at what sessions use, where no control group bounds it


def main(descriptor: int, settings: Settings) -> None:
    """Start a fork server and watch over it until it or the grader is gone; then clear up.

    Args:
        descriptor: a connected socket, inherited from the grader, for the fork server.
        settings: of the fork server, without a user and open groups.
    """
    kernel.adopt_orphans()
    if not settings.isolation.has_own_mounts:  # there is no file system for temporary files alone
        os.environ["TMPDIR"] = settings.folder
    entries = tuple(os.open(f"{g}/cgroup.procs", os.O_WRONLY) for g in settings.groups)
    settings = msgspec.structs.replace(settings, user=user_of(os.getpid()), entries=entries)
    # In the process namespace that we are in now: else it would not name processes as we do.
    use = GpuUse(settings.card) if settings.card is not None else None
    try:
        with being_in(settings.shared):
            child = _start(descriptor, settings)
    except (NotToBeHad, OSError) as reason:
        child = None
        with suppress(ChannelClosed):
            ours = socket.socket(fileno=os.dup(descriptor))
            report_unavailable(Channel(ours, MB, FROM_OWNER), reason)
    try:
        if child is not None:
            _watch(descriptor, child, settings, use)
    finally:
        kill_children()
        remove_group([*settings.groups, *settings.shared])
        remove_tree(settings.folder)
        remove_tree(os.path.join(SHARED_MEMORY, os.path.basename(settings.folder)))


def report_unavailable(channel: Channel, reason: Exception) -> None:
    """Tell the grader why these walls cannot be had here."""
    channel.send(Unavailable(str(reason)))


def _start(descriptor: int, settings: Settings) -> int:
    """Start the fork server's process and return its number."""
    if settings.isolation.is_in_bubblewrap:
        command = bubblewrap_command(settings)
        command += [sys.executable, "-I", "-m", warm_process.__name__]
        command += [str(descriptor), settings.text()]
        child = os.fork()
        if child == 0:
            for inherited in (descriptor, *settings.entries):
                os.set_inheritable(inherited, True)
            os.execv(command[0], command)
        return child
    if settings.isolation.has_own_processes:
        if os.geteuid() != 0:
            _own_users()
        kernel.unshare(kernel.Namespace.PROCESS)
    me = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            kernel.die_with_parent(None if settings.isolation.has_own_processes else me)
            warm_process.main(descriptor, settings)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(0)
    return child


def _own_users() -> None:
    """Enter a user namespace in which we are who we were, with all powers in it."""
    user, group = os.getuid(), os.getgid()
    kernel.unshare(kernel.Namespace.USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _watch(lifeline: int, child: int, settings: Settings, use: GpuUse | None) -> None:
    """Wait until the fork server or the grader is gone, then end the fork server.

    Args:
        lifeline: the socket whose other end is the grader's.
        child: the fork server, or bubblewrap around it.
        settings: of the fork server; some of its limits are held by looking.
        use: what sessions use of a GPU, if they have one.
    """
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(lifeline, 0)  # tells of its end only
    poll.register(ended, select.POLLIN)
    look = None if nothing_to_look_at(settings) else LOOK_SECONDS * 1000
    while not (events := poll.poll(look)):
        end_overuse(child, settings)
        if use is not None:
            use.end_overuse(child, settings)
    if not settings.isolation.has_own_mounts and ended not in dict(events):
        poll.unregister(lifeline)
        poll.poll(LEAVING_SECONDS * 1000)
    os.close(lifeline)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Settings.of(sys.argv[2]))
