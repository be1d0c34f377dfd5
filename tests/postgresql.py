"""A PostgreSQL server of Debian's package, started for some tests in a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

__all__ = ["Server", "server"]

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
USER = "staff"
SECONDS = 30  # in which it must answer


class Server:
    """A server that listens on a socket in its folder and nowhere else.

    Args:
        folder: empty; belongs to the user as whom the server runs.
        as_user: the words in front of a command that run it as that user.
    """

    def __init__(self, folder: Path, as_user: list[str]) -> None:
        self._folder, self._as_user = folder, as_user
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        made = [f"--pgdata={folder / 'data'}", f"--username={USER}", "--auth=trust", "--no-sync"]
        self._run("initdb", *made, "--no-locale", "--encoding=UTF8")

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        import psycopg

        settings = [f"-k{self._folder}", "-clisten_addresses=", "-cfsync=off"]
        command = [str(PROGRAMS[-1] / "postgres"), f"-D{self._folder / 'data'}", *settings]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*self._as_user, *command], stdout=log, stderr=log, cwd="/"
            )
        end = time.monotonic() + SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise AssertionError((self._folder / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop it; who is connected is thrown out."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            self._process.wait(SECONDS)
            self._process = None

    def new(self) -> str:
        """Return the URL of a new database, which is empty."""
        self._count += 1
        name = f"grades_{self._count}"
        self.say(f"CREATE DATABASE {name}")
        return self.url(name)

    def say(self, statement: str, url: str | None = None) -> None:
        """Let a database do something; by default the server's own."""
        import psycopg

        with psycopg.connect(url or self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, str(PROGRAMS[-1] / program), *arguments],
            check=True,
            capture_output=True,
            cwd="/",
        )


def _user() -> tuple[int, int, list[str]]:
    """Return as whom the server runs, which cannot be root, and how."""
    if os.geteuid() != 0:
        return os.getuid(), os.getgid(), []
    try:
        found = pwd.getpwnam("postgres")
    except KeyError:
        found = pwd.getpwnam("nobody")
    ids = [f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--clear-groups"]
    return found.pw_uid, found.pw_gid, ["setpriv", *ids]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that runs."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if not PROGRAMS:
        pytest.skip("there is no PostgreSQL server here: apt-get install postgresql")
    user, group, as_user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path is short
    os.chown(folder, user, group)
    try:
        found = Server(folder, as_user)
        found.start()
        yield found
        found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
