"""What operators copy: commands can be parsed, certificates hold, units start what they say."""

import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
import tomllib
from pathlib import Path

import pytest
import yaml

from autograder import cli
from autograder.cluster import Cluster
from autograder.engines.dask_cluster import CALM, LOCAL_HTTP
from tests.each import require_each

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGE = (DOCS / "operators.md").read_text(encoding="utf-8")
UNITS = sorted((DOCS / "systemd").glob("*.service"))


def blocks(language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [block for said, block in found if said == language]


def commands():
    """Return the commands of the page, of units and of the manifest, as words."""
    lines = [line for block in blocks("") for line in block.splitlines()]
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("\\\n", " ")
        lines += [line.partition("=")[2] for line in text.splitlines() if line.startswith("Exec")]
    found = [shlex.split(line, comments=True) for line in lines]
    for one in manifest():
        if one["kind"] == "Deployment":
            found += [c["command"] for c in one["spec"]["template"]["spec"]["containers"]]
    return [words for words in found if words]


def manifest():
    return list(yaml.safe_load_all((DOCS / "kubernetes" / "cluster.yaml").read_text("utf-8")))


def calls_of(program):
    return [(words[1:],) for words in commands() if Path(words[0]).name == program]


def test_every_command_of_ours_can_be_parsed():
    calls = calls_of("autograder")
    require_each(calls, lambda words: cli._parser().parse_args(words).run)
    assert {words[0] for (words,) in calls} >= {"serve", "rehearse", "grade", "doctor"}


def test_every_command_of_dasks_can_be_parsed():
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    from distributed.cli import dask_scheduler, dask_worker

    programs = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}

    def is_one(words):
        (kind, *options) = words
        named = [o if not o.endswith(".pem") else str(ROOT / "README.md") for o in options]
        assert programs[kind].make_context(kind, named, resilient_parsing=False).params

    calls = calls_of("dask")
    require_each(calls, is_one)
    assert len(calls) == 6
    for (words,) in calls:
        assert "--protocol" in words, "all speak TLS"
        assert (words[0] == "scheduler") or "--no-nanny" in words
        where = words[words.index("--dashboard-address") + 1]
        assert where == LOCAL_HTTP[1], "the port that HTTP has without a dashboard is for nobody"


def test_the_settings_of_dask_are_the_same_everywhere():
    lines = (DOCS / "systemd" / "dask.env").read_text("utf-8").splitlines()
    assert dict(line.split("=", 1) for line in lines if not line.startswith("#")) == CALM
    (config,) = [one["data"] for one in manifest() if one["kind"] == "ConfigMap"]
    assert config == CALM
    for unit in UNITS:
        of_dask = "serve" not in unit.name
        assert ("EnvironmentFile=/etc/autograder/dask.env" in unit.read_text("utf-8")) is of_dask


def test_the_tables_of_the_page_are_tables_of_course_toml():
    tables = [found for block in blocks("toml") if (found := tomllib.loads(block))]
    found = [one for one in tables if "cluster" in one or "slurm" in one]
    assert len(found) == 2
    for one in found:
        assert Cluster.from_tables(one.get("cluster", {}), one.get("slurm", {})) != Cluster()


def test_a_pod_has_no_token_and_keeps_its_key_where_no_session_finds_it():
    pods = [o["spec"]["template"]["spec"] for o in manifest() if o["kind"] == "Deployment"]
    assert len(pods) == 2
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        places = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        closed = Path(places["tls"]).parent
        image = (DOCS / "ci" / "Containerfile").read_text(encoding="utf-8")
        assert f"RUN install -d -m 700 {closed}\n" in image  # nobody else may enter it
        (secret,) = [one["secret"] for one in pod["volumes"] if one["name"] == "tls"]
        assert secret["defaultMode"] == 0o400


def test_the_certificates_of_the_page_let_those_in_that_have_one_and_nobody_else(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    (script,) = [block for block in blocks("") if block.startswith("openssl ")]
    subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    assert handshake(tmp_path, tmp_path) is True
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["sh", "-ec", script], cwd=other, capture_output=True, check=True)
    assert handshake(tmp_path, other) is False


def handshake(server, client):
    """Return whether a server takes a client, each with the certificates of a folder."""

    def context(folder, purpose):
        found = ssl.create_default_context(purpose, cafile=folder / "ca.pem")
        found.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        found.verify_mode, found.check_hostname = ssl.CERT_REQUIRED, False
        return found

    def serve():
        with listener, listener.accept()[0] as connection:
            try:
                with context(server, ssl.Purpose.CLIENT_AUTH).wrap_socket(
                    connection, server_side=True
                ) as encrypted:
                    encrypted.sendall(b"in")
            except OSError:
                return

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with (
            socket.create_connection(listener.getsockname()) as connection,
            context(client, ssl.Purpose.SERVER_AUTH).wrap_socket(connection) as encrypted,
        ):
            return encrypted.recv(2) == b"in"
    except OSError:
        return False
    finally:
        thread.join()


def test_every_unit_names_files_that_there_are_and_starts_again_by_itself():
    for unit in UNITS:
        text = unit.read_text("utf-8")
        assert "Restart=always" in text
        assert "StartLimitIntervalSec=0" in text, "it is never given up"
        assert "RestartPreventExitStatus" not in text, "what it lacks may come back"
        assert f"systemd/{unit.name}" in PAGE
    assert os.path.isfile(DOCS / "systemd" / "dask.env")
