"""Landlock: what a process may read, write and reach, whatever its user could.

Source: Linux, `Documentation/userspace-api/landlock.rst`.
"""

import os
import struct
from collections.abc import Iterable
from contextlib import suppress

from autograder.sandbox.kernel import syscall

__all__ = ["NEEDED_ABI", "abi", "restrict"]

NEEDED_ABI = 6  # keeps signals and abstract sockets inside: what namespaces do elsewhere

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15  # what a file may have
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many of the rights on files there are
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals
READ = _EXECUTE | _READ_FILE | _READ_DIR


def abi() -> int:
    """Return the version of Landlock in this kernel, 0 where there is none."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Bind this process and its children: they read here, write there, and reach nobody else.

    TCP is closed, and signals and abstract sockets end at this process's own children, as far as
    the kernel's version of Landlock knows how. Needs no_new_privs.

    Args:
        readable: files and folders that may be read and executed; those that are not there are
            passed over.
        writable: folders in which anything may be done, and files that may be written.

    Raises:
        OSError: the kernel refuses.
    """
    version = abi()
    handled = (1 << _RIGHTS_BY_ABI.get(version, 16)) - 1
    attributes = struct.pack("=Q", handled)
    if version >= 4:
        attributes += struct.pack("=Q", _TCP)
    if version >= NEEDED_ABI:
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in readable:
            _add(ruleset, path, READ & handled)
        for path in writable:
            _add(ruleset, path, handled)
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _add(ruleset: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(path):
                rights &= _OF_FILES
            rule = struct.pack("=Qi", rights, descriptor)
            syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        finally:
            os.close(descriptor)
