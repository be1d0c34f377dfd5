"""Witnesses: what sees an attack that reached further than its own session."""

import hashlib
import html
import os
import re
import secrets
import selectors
import signal
import site
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.authoring.checks import case_rng
from autograder.authoring.subject import Helper, RemoteId, Session
from autograder.grading.cases import ReferenceSession, run_case

__all__ = [
    "CANARY",
    "MARK",
    "Ear",
    "Victim",
    "fingerprints",
    "hidden_numbers",
    "leftover_files",
    "marked_processes",
    "new_canary",
    "readable_text",
]

CANARY = "canary-"
MARK = re.compile(rb"zoo[0-9a-f]{10}")
PACKAGE = Path(__file__).resolve().parents[1]


def new_canary(kind: str) -> str:
    """Return a text that nobody can guess beyond how it begins."""
    return f"{CANARY}{kind}-{secrets.token_hex(8)}"


class Ear:
    """Listens on 127.0.0.1 by TCP and UDP, and on two local sockets; keeps what arrives.

    Args:
        folder: where the socket with a path stands.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.abstract = folder / "ear", f"zoo-ear-{secrets.token_hex(4)}"
        self._heard, self._selector = bytearray(), selectors.DefaultSelector()
        self.tcp = self._listen(socket.AF_INET, ("127.0.0.1", 0))[1]
        self.udp = self._listen(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM)[1]
        self._listen(socket.AF_UNIX, str(self.path))
        self._listen(socket.AF_UNIX, "\0" + self.abstract)
        self.path.chmod(0o777)
        self._waker, stop = socket.socketpair()
        self._selector.register(stop, selectors.EVENT_READ, "stop")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def marks(self) -> set[str]:
        """Return the marks of those who were heard."""
        return {mark.decode() for mark in MARK.findall(self._heard)}

    def close(self) -> None:
        """Listen no more."""
        self._waker.close()
        self._thread.join(5.0)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _listen(
        self,
        family: socket.AddressFamily,
        address: str | tuple[str, int],
        kind: socket.SocketKind = socket.SOCK_STREAM,
    ) -> tuple[str, int]:
        stream = socket.socket(family, kind)
        stream.bind(address)
        stream.setblocking(False)
        if kind is socket.SOCK_STREAM:
            stream.listen(64)
        role = "listener" if kind is socket.SOCK_STREAM else "reader"
        self._selector.register(stream, selectors.EVENT_READ, role)
        name = stream.getsockname()
        return name if isinstance(name, tuple) else ("", 0)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                stream = key.fileobj
                assert isinstance(stream, socket.socket)
                if key.data == "stop":
                    return
                with suppress(OSError):
                    if key.data == "listener":
                        new = stream.accept()[0]
                        new.setblocking(False)
                        self._selector.register(new, selectors.EVENT_READ, "stream")
                        continue
                    data = stream.recv(4096)
                    self._heard += data + b"\n"
                    if not data and key.data == "stream":
                        self._selector.unregister(stream)
                        stream.close()


class Victim:
    """A process that holds canaries and that nobody may read, trace or end."""

    def __init__(self, canaries: Iterable[str]) -> None:
        argument, variable = canaries
        # It ends when nobody is there to end it.
        wait = "import os, time\nwhile os.getppid() == int(os.environ['ZOO']): time.sleep(1)"
        self._process = subprocess.Popen(
            [sys.executable, "-c", wait, argument],
            env={**os.environ, "ZOO_VICTIM": variable, "ZOO": str(os.getpid())},
            start_new_session=True,
        )
        self.pid = self._process.pid

    def state(self) -> str:
        """Return what has happened to it; "" if nothing has."""
        if self._process.poll() is not None:
            return "it was ended"
        status = Path(f"/proc/{self.pid}/status").read_text()
        if re.search(r"^State:\s+[Tt]", status, re.MULTILINE):
            return "it was stopped"
        return "" if re.search(r"^TracerPid:\s+0$", status, re.MULTILINE) else "it is traced"

    def close(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait()


def marked_processes() -> dict[str, list[int]]:
    """Return the processes that carry a mark in their arguments, name or environment, by mark."""
    found: dict[str, list[int]] = {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        texts = []
        for part in ("cmdline", "comm", "environ"):
            with suppress(OSError), open(f"/proc/{number}/{part}", "rb", buffering=0) as file:
                texts.append(file.read())
        for mark in set(MARK.findall(b"\0".join(texts))):
            found.setdefault(mark.decode(), []).append(int(number))
    return found


def leftover_files(places: Iterable[Path], remove: bool = False) -> dict[str, list[Path]]:
    """Return the files with a mark in their names in some folders and below, by mark.

    Below the course and the public folder that a zoo has made for itself; in the machine's own
    folders, where anything may be, only directly.
    """
    own = [Path(tempfile.gettempdir()), Path("/dev/shm"), Path("/var/tmp"), Path("/run"), Path("/")]
    own += [Path("/home"), Path("/etc/cron.d"), Path.home(), PACKAGE.parent, PACKAGE]
    own += [Path(folder) for folder in (*site.getsitepackages(), sysconfig.get_path("stdlib"))]
    found: dict[str, list[Path]] = {}
    for path in _entries(own, places):
        for mark in MARK.findall(os.fsencode(path.name)):
            found.setdefault(mark.decode(), []).append(path)
            if remove:
                with suppress(OSError):
                    path.unlink()
    return found


def _entries(flat: Iterable[Path], deep: Iterable[Path]) -> Iterator[Path]:
    for folder in flat:
        with suppress(OSError):
            yield from folder.iterdir()
    for folder in deep:
        yield from folder.rglob("*")


def fingerprints(folders: Iterable[Path]) -> dict[str, str]:
    """Return a hash of every file in some folders, to see afterwards whether one was changed."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.stat().st_size > 1 << 26:
                found[str(path)] = "not read"
            elif "__pycache__" not in path.parts:
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def readable_text(path: Path) -> str:
    """Return what a reader of a page or a notebook may see, and what its source says."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return text + html.unescape(text)


class _Spy:
    """A session that notes the numbers that pass through it."""

    def __init__(self, inner: Session, noted: set[str]) -> None:
        self._inner, self._noted = inner, noted

    def get(self, name: str) -> object:
        return self._note(self._inner.get(name))

    def attribute(self, target: int, name: str) -> object:
        return self._note(self._inner.attribute(target, name))

    def call(
        self, target: int, args: tuple[object, ...], kwargs: dict[str, object], watch: bool
    ) -> tuple[object, tuple[int | str, ...]]:
        self._note([*args, *kwargs.values()])
        value, changed = self._inner.call(target, args, kwargs, watch)
        return self._note(value), changed

    def apply(self, helper: Helper, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        self._note([*args, *kwargs.values()])
        return self._note(self._inner.apply(helper, args, kwargs))

    def seed(self, number: int) -> None:
        self._inner.seed(number)

    def processes(self) -> None:
        """Say that nothing is measured: it is the numbers that are wanted."""

    def _note(self, value: object) -> object:
        if isinstance(value, (list, tuple)):
            for item in value[:8]:
                self._note(item)
        elif isinstance(value, dict):
            self._note(list(value.values()))
        elif not isinstance(value, (RemoteId, str, bytes, type(None))):
            with suppress(TypeError, ValueError, RuntimeError):
                flat = np.asarray(value, dtype=float).reshape(-1)[:4]
                texts = {repr(float(number)) for number in flat}
                self._noted |= {text for text in texts if sum(map(str.isdigit, text)) >= 12}
        return value


def hidden_numbers(oracle: Oracle, secret: bytes, drawn_for: str) -> set[str]:
    """Return inputs of hidden cases and the right replies to them, as Python writes numbers.

    Args:
        oracle: the checks.
        secret: from which inputs are drawn.
        drawn_for: whose inputs; see `autograder.grading.runner.drawn_for`.
    """
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for check in oracle.checks.values():
        for case in check.cases:
            if check.device != "cuda":
                spy = _Spy(ReferenceSession(oracle.namespace), seen[case.hidden])
                names = (secret, oracle.assignment, check.name, case.name, drawn_for)
                run_case(
                    check,
                    case,
                    spy,
                    ReferenceSession(oracle.namespace),
                    lambda names=names: case_rng(*names),  # type: ignore[misc]  # bound now
                )
    return seen[True] - seen[False]
