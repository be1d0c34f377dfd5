"""The witnesses see what they are there to see."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.course import Course
from autograder.grading.oracle import load_bundle_oracle
from autograder.redteam.witnesses import (
    Ear,
    Victim,
    fingerprints,
    hidden_numbers,
    leftover_files,
    marked_processes,
)
from tests.redteam.small import NAME

MARK = f"zoo{os.getpid():010x}"


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    """An ear that is closed behind the test."""
    ear = Ear(tmp_path)
    yield ear
    ear.close()


def heard(ear: Ear) -> bool:
    until = time.monotonic() + 10
    while MARK not in ear.marks():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_an_ear_hears_tcp(ear: Ear) -> None:
    with socket.create_connection(("127.0.0.1", ear.tcp)) as stream:
        stream.sendall(MARK.encode())
    assert heard(ear)


def test_an_ear_hears_udp(ear: Ear) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.sendto(MARK.encode(), ("127.0.0.1", ear.udp))
    assert heard(ear)


def test_an_ear_hears_local_sockets(ear: Ear) -> None:
    for address in (str(ear.path), "\0" + ear.abstract):
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(address)
            stream.sendall(MARK.encode())
    assert heard(ear)


def test_a_marked_process_is_seen() -> None:
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, MARK]) as process:
        try:
            deadline = time.monotonic() + 20  # until the fork has become the program
            while not (seen := marked_processes().get(MARK)) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert process.pid in seen
        finally:
            process.kill()
    assert MARK not in marked_processes()


def test_a_victim_knows_when_it_was_stopped_or_ended() -> None:
    victim = Victim(["canary-a", "canary-b"])
    try:
        assert victim.state() == ""
        os.kill(victim.pid, 9)
        os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WNOWAIT)
        assert victim.state() == "it was ended"
    finally:
        victim.close()


def test_files_with_a_mark_are_found_and_removed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f".{MARK}-1").touch()
    assert leftover_files([tmp_path], remove=True)[MARK] == [tmp_path / "deep" / f".{MARK}-1"]
    assert MARK not in leftover_files([tmp_path])


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    before = fingerprints([tmp_path])
    (tmp_path / "file").write_text("b")
    after = fingerprints([tmp_path])
    assert before.keys() == after.keys()
    assert before != after


def test_hidden_numbers_are_inputs_and_answers_of_hidden_cases(compiled_course: Course) -> None:
    oracle = load_bundle_oracle(read_bundle(compiled_course.bundle(NAME)))
    numbers = hidden_numbers(oracle, b"a secret", "one")
    assert len(numbers) > 10
    assert not numbers & hidden_numbers(oracle, b"another secret", "one")
    assert not numbers & hidden_numbers(oracle, b"a secret", "another")
    assert all(number == repr(float(number)) for number in numbers)
