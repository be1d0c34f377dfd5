"""Networks of a test's own: machines that see each other, and nothing else does."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Network", "own_network", "why_no_network"]


@dataclass(frozen=True)
class Network:
    """Hosts with an address each; what runs on one is started with a prefix.

    Attributes:
        addresses: of the hosts.
        prefixes: what stands before a command that is to run there.
    """

    addresses: tuple[str, ...]
    prefixes: tuple[tuple[str, ...], ...]


def why_no_network() -> str | None:
    """Return why this process can make no network of its own; None if it can."""
    if os.geteuid() != 0:
        return "a network of its own can be made by root only"
    if missing := [name for name in ("ip", "nsenter") if shutil.which(name) is None]:
        return f"there is no {missing[0]}, which makes a network of its own"
    name = f"agt-{os.getpid()}-try"
    try:
        _ip("netns", "add", name)
        try:
            _ip("-n", name, "link", "add", "bridge0", "type", "bridge")
        finally:
            _ip("netns", "del", name)
    except subprocess.CalledProcessError as error:
        return f"a network of its own cannot be made here: {error.stderr.decode().strip()}"
    return None


@contextmanager
def own_network(hosts: int) -> Iterator[Network]:
    """Give a network of some hosts, which are namespaces of this machine; root can."""
    names = [f"agt-{os.getpid()}-{number}" for number in range(hosts)]
    addresses = [f"10.77.0.{number + 1}" for number in range(hosts)]
    first = names[0]
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", first, "link", "add", "bridge0", "type", "bridge")
        _ip("-n", first, "addr", "add", f"{addresses[0]}/24", "dev", "bridge0")
        _ip("-n", first, "link", "set", "bridge0", "up")
        for number, name in enumerate(names[1:], 1):
            pair = ("type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("-n", first, "link", "add", f"v{number}", *pair)
            _ip("-n", first, "link", "set", f"v{number}", "master", "bridge0", "up")
            _ip("-n", name, "addr", "add", f"{addresses[number]}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
        # Not `ip netns exec`: that mounts /sys anew, without control groups.
        prefixes = tuple(("nsenter", f"--net=/run/netns/{name}") for name in names)
        yield Network(tuple(addresses), prefixes)
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], capture_output=True, check=True)
