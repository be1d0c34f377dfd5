"""A real cluster on this machine: a scheduler and workers of Dask, in processes of their own.

They speak TLS, with certificates that are made for the test.

What is killed is started again, as systemd does it; a test kills what it likes.
"""

import datetime
import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from autograder.engines.dask_cluster import CALM, LOCAL_HTTP

__all__ = [
    "Certificates",
    "Keeper",
    "LocalCluster",
    "free_port",
    "make_certificates",
    "start_cluster",
]

QUIET = {**CALM, "DASK_LOGGING__DISTRIBUTED": "critical"}


@dataclass(frozen=True)
class Certificates:
    """Files of a certificate that signs, and of one that it has signed, with its key."""

    ca: Path
    cert: Path
    key: Path

    def options(self) -> list[str]:
        """Return them as options of Dask's commands."""
        return [
            "--tls-ca-file",
            str(self.ca),
            "--tls-cert",
            str(self.cert),
            "--tls-key",
            str(self.key),
        ]


def make_certificates(folder: Path) -> Certificates:
    """Make certificates of one day, for a test."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def signed(subject: str, key: Any, by: Any, is_ca: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("ca"))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        return builder.sign(by, hashes.SHA256())

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem = serialization.Encoding.PEM
    found = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    found.ca.write_bytes(signed("ca", ca_key, ca_key, True).public_bytes(pem))
    found.cert.write_bytes(signed("node", key, ca_key, False).public_bytes(pem))
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    found.key.touch(0o600)
    found.key.write_bytes(key.private_bytes(pem, form, none))
    return found


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody has now."""
    with socket.socket() as one:
        one.bind((host, 0))
        return int(one.getsockname()[1])


class Keeper:
    """Keeps a command running: whenever it ends, it is started again."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self._command, self._env, self._log = list(command), dict(env), log
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.starts = 0
        self._start()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Kill it (-9), so that it is started again."""
        with self._lock:
            self.process.kill()

    def close(self) -> None:
        """End it for good."""
        self._over.set()
        with self._lock:
            self.process.kill()
        self._thread.join()
        self.process.wait()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._log.parent,
            )
        self.starts += 1

    def _keep(self) -> None:
        while not self._over.is_set():
            self.process.wait()
            with self._lock:
                if not self._over.is_set():
                    time.sleep(0.2)
                    self._start()


@dataclass
class LocalCluster:
    """A scheduler with its workers."""

    address: str
    certificates: Certificates | None
    scheduler: Keeper
    workers: list[Keeper]

    def wait(self) -> None:
        """Wait until the scheduler listens."""
        parts = urlsplit(self.address)
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((parts.hostname, parts.port)).close()
                return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def options(self) -> list[str]:
        """Return what ``autograder grade`` is told of it."""
        told = ["--engine", "dask", "--scheduler", self.address]
        if (files := self.certificates) is not None:
            told += ["--tls-ca", str(files.ca), "--tls-cert", str(files.cert)]
            told += ["--tls-key", str(files.key)]
        return told


@contextmanager
def start_cluster(
    folder: Path,
    workers: Sequence[Sequence[str]] = ((), ()),
    *,
    tls: bool = True,
    host: str = "127.0.0.1",
    scheduler_prefix: Sequence[str] = (),
    prefixes: Sequence[Sequence[str]] = (),
) -> Iterator[LocalCluster]:
    """Give a cluster in processes of this machine, which ends with the block.

    Args:
        folder: for certificates, logs and what workers keep.
        workers: one for each, with further options.
        tls: whether it speaks TLS; certificates are made for it then.
        host: the scheduler's address.
        scheduler_prefix: what stands before its command, as ``nsenter --net=FILE``.
        prefixes: the same of each worker.
    """
    certificates = make_certificates(folder / "tls") if tls else None
    tls_options = certificates.options() if certificates is not None else []
    port, protocol = 8786 if prefixes else free_port(host), "tls" if tls else "tcp"
    address = f"{protocol}://{host}:{port}"
    env = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")} | QUIET
    if not tls:
        env.pop("DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION")
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    kept: list[Keeper] = []
    try:
        scheduler = Keeper(
            [
                *(*scheduler_prefix, sys.executable, "-m", "distributed.cli.dask_scheduler"),
                *("--host", host),
                *(
                    "--port",
                    str(port),
                    "--protocol",
                    protocol,
                    "--no-dashboard",
                    *LOCAL_HTTP,
                    *tls_options,
                ),
            ],
            env,
            folder / "logs" / "scheduler",
        )
        kept.append(scheduler)
        for number, options in enumerate(workers):
            prefix = prefixes[number] if prefixes else ()
            kept.append(
                Keeper(
                    [
                        *(*prefix, sys.executable, "-m", "distributed.cli.dask_worker", address),
                        *("--no-nanny", "--nthreads", "1", "--memory-limit", "0"),
                        *(
                            "--no-dashboard",
                            *LOCAL_HTTP,
                            "--local-directory",
                            str(folder / f"w{number}"),
                        ),
                        *tls_options,
                        *options,
                    ],
                    env,
                    folder / "logs" / f"worker{number}",
                )
            )
        yield LocalCluster(address, certificates, scheduler, kept[1:])
    finally:
        for one in kept:
            one.close()
