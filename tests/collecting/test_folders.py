"""Folders, nbgrader's exchange, and clones of git repositories."""

import io
import os
import subprocess
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.collecting.exchange import SECRET
from autograder.collecting.placing import Outcome
from autograder.errors import UsageError
from autograder.records.times import read_time
from tests.collecting.conftest import notebook, zipped

ADA, ALAN, GRACE = (notebook(name) for name in ("ada", "alan", "grace"))
TEN = b"2026-11-20 10:00:00.123456 UTC"


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_a_folder_for_each_student_a_file_or_an_archive(collect, tmp_path, submitted):
    folder = write(
        tmp_path / "in",
        {
            "ada/anything.ipynb": ADA,
            "ada/notes.txt": b"notes",
            "Turing, Alan.ipynb": ALAN,
            "grace.zip": zipped({"hw1.ipynb": GRACE}),
            "README.md": b"",
            ".DS_Store": b"",
        },
    )
    report = collect(folder, assignment="hw1")
    assert (submitted("ada"), submitted("alan"), submitted("grace")) == (ADA, ALAN, GRACE)
    assert submitted("ada", "notes.txt") == b"notes"
    assert report.strays == ["README.md"]
    assert not list(report.problems())


def test_a_folder_as_nbgrader_has_it_tells_assignments_and_times(collect, tmp_path, submitted):
    folder = write(
        tmp_path / "submitted",
        {
            "ada/hw1/hw1.ipynb": ADA,
            "ada/hw1/timestamp.txt": TEN,
            "ada/hw2/hw2.ipynb": GRACE,
            "alan/hw1/hw1.ipynb": ALAN,
        },
    )
    collect(folder)
    assert submitted("ada") == ADA
    assert submitted("ada", "timestamp.txt") == TEN
    assert submitted("ada", "hw2.ipynb", "hw2") == GRACE
    assert submitted("alan") == ALAN


def test_a_tar_with_gzip_is_read_as_a_folder_is(collect, tmp_path, submitted):
    path = tmp_path / "class.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("ada/hw1.ipynb", ADA), ("alan/hw1.ipynb", ALAN)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    collect(path, assignment="hw1")
    assert (submitted("ada"), submitted("alan")) == (ADA, ALAN)


def test_what_nothing_tells_must_be_said(collect, tmp_path):
    folder = write(tmp_path / "in", {"ada/x.ipynb": ADA})
    with pytest.raises(UsageError, match="say --assignment NAME, one of hw1, hw2"):
        collect(folder)
    with pytest.raises(UsageError, match="there is no assignment 'hw9'"):
        collect(folder, assignment="hw9")
    with pytest.raises(UsageError, match=r"there is no .*nowhere"):
        collect(tmp_path / "nowhere", assignment="hw1")


def test_of_several_notebooks_nobody_guesses(collect, tmp_path, submitted):
    folder = write(
        tmp_path / "in",
        {
            "ada/one.ipynb": ADA,
            "ada/two.ipynb": ADA,
            "alan/HW1 (1).ipynb": ALAN,
            "alan/other.ipynb": ADA,
            "grace/a/hw1.ipynb": GRACE,
            "grace/b/hw1.ipynb": GRACE,
        },
    )
    report = collect(folder, assignment="hw1")
    assert submitted("alan") == ALAN
    assert (submitted("ada"), submitted("grace")) == (None, None)
    two, several = report.refused
    assert "ada has 2 notebooks, none of them called hw1.ipynb; there are: one.ipynb, two" in two
    assert "grace has several notebooks for hw1; there are: a/hw1.ipynb, b/hw1.ipynb" in several


def test_links_in_a_folder_are_not_followed(collect, tmp_path, submitted):
    secret = write(tmp_path / "other", {"hw1.ipynb": b"a secret"})
    folder = write(tmp_path / "in", {"ada/notes.txt": b""})
    (folder / "ada" / "hw1.ipynb").symlink_to(secret / "hw1.ipynb")
    (folder / "alan").symlink_to(secret)
    os.mkfifo(folder / "grace.ipynb")
    report = collect(folder, assignment="hw1")
    assert sum("is a link or a device, no file" in said for said in report.refused) == 3
    assert not any(map(submitted, ("ada", "alan", "grace")))


@pytest.fixture
def exchange(tmp_path):
    """An exchange with three attempts of ada, and one each of two others."""
    inbound = tmp_path / "exchange" / "small" / "inbound"
    secret = {SECRET: b"secret"}
    for folder, files in {
        "ada+hw1+2026-11-20 09:00:00.000000 UTC": {"hw1.ipynb": b"first"},
        "ada+hw1+2026-11-20 10:00:00.123456 UTC+aB-_3=": {
            "hw1.ipynb": ADA,
            "timestamp.txt": TEN,
            "data/x.csv": b"1",
            **secret,
        },
        "ada+hw1+2026-11-19 23:00:00.000000 UTC": {"hw1.ipynb": b"older"},
        "ada+hw2+2026-11-20 10:00:00.000000 UTC": {"hw2.ipynb": GRACE},
        "alan+hw1+2026-11-20 12:00:00.000000 +0200+code": {"hw1.ipynb": ALAN},
        "eve+hw1+2026-11-20 12:00:00.000000 UTC": {"hw1.ipynb": b"{}"},
        "grace+old+2026-11-20 12:00:00.000000 UTC": {"old.ipynb": b"{}"},
    }.items():
        write(inbound / folder, files)
    return tmp_path / "exchange"


@pytest.mark.parametrize("below", [".", "small", "small/inbound"])
def test_the_newest_attempt_of_an_exchange_wins_and_its_secret_stays(
    collect, exchange, submitted, below
):
    report = collect(exchange / below)
    assert "--as exchange" in report.sources[0]
    assert (submitted("ada"), submitted("alan")) == (ADA, ALAN)
    assert submitted("ada", "timestamp.txt") == TEN
    assert submitted("ada", SECRET) == b"secret"
    assert submitted("ada", "data/x.csv") == b"1"
    assert submitted("ada", "hw2.ipynb", "hw2") == GRACE
    assert submitted("alan", "timestamp.txt") == b"2026-11-20 10:00:00.000000 UTC"
    assert report.superseded == 2
    (unmatched,) = report.unmatched
    assert "eve+hw1" in unmatched
    assert len(report.strays) == 1  # of an assignment that the course has not


def test_an_attempt_that_is_changed_when_it_was_collected_has_the_time_of_its_change(
    collect, root, tmp_path, submitted
):
    """Its student can set all times of a file but that of its change."""
    early = "2020-11-20 10:00:00.000000 UTC"
    notebook = tmp_path / "inbound" / f"ada+hw1+{early}" / "hw1.ipynb"
    write(notebook.parent, {"hw1.ipynb": GRACE, "timestamp.txt": early.encode()})
    began = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=5)

    def collected():
        (taken,) = collect(tmp_path / "inbound").taken
        return taken.outcome, submitted("ada", "timestamp.txt").decode()

    assert collected() == (Outcome.NEW, early)
    (root / "submitted" / "ada" / "hw1" / "hw1.ipynb").write_bytes(b"edited by staff")
    assert collected() == (Outcome.NEWER, early)
    notebook.write_bytes(ADA)
    os.utime(notebook, (0, 0))
    outcome, late = collected()
    assert (outcome, submitted("ada")) == (Outcome.NEWER, ADA)
    assert began <= read_time(late) <= datetime.now(UTC).replace(tzinfo=None)
    assert collected() == (Outcome.UNCHANGED, late)
    write(tmp_path / "inbound" / "ada+hw1+2020-11-21 10:00:00.000000 UTC", {"hw1.ipynb": GRACE})
    assert collected() == (Outcome.OLDER, late)


def test_a_second_person_of_an_exchange_is_not_taken_for_the_first_though_only_that_is_read(
    collect, tmp_path, submitted
):
    inbound = tmp_path / "inbound"
    names = [
        f"{who}+hw1+2020-11-2{day} 10:00:00.000000 UTC" for day, who in enumerate(("ada", "L1"))
    ]
    for name, data in zip(names, (ADA, ALAN), strict=True):
        write(inbound / name, {"hw1.ipynb": data})
    assert not collect(inbound, only=names[:1]).unmatched
    (said,) = collect(inbound, only=names[1:]).unmatched
    assert "ada and L1 are both taken for ada" in said
    assert submitted("ada") == ADA


@pytest.fixture
def owned(monkeypatch):
    """Folders, with the account of this machine that owns each instead of us."""
    owners, accounts, stat = {}, ["ada", "alan", "nobody", "grace2"], Path.stat

    def of(path, **options):
        found = stat(path, **options)
        if path not in owners:
            return found
        return os.stat_result((*found[:4], 7000 + accounts.index(owners[path]), *found[5:]))

    monkeypatch.setattr(Path, "stat", of)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: SimpleNamespace(pw_name=accounts[uid - 7000]))
    return owners


def test_an_attempt_that_its_student_has_locked_stops_no_other(
    collect, exchange, submitted, monkeypatch
):
    inbound = exchange / "small" / "inbound"
    (locked,) = inbound.glob("alan+*")
    scandir = os.scandir

    def locking(path):
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(locked))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locking)
    report = collect(exchange, assignment="hw1")
    assert [line for line in report.refused if "Permission denied" in line]
    assert submitted("ada")
    assert not submitted("alan")


def test_what_a_user_submits_as_another_is_not_collected(collect, exchange, submitted, owned):
    (eve,) = (exchange / "small" / "inbound").glob("ada+hw1+*_3=")
    (alan,) = (exchange / "small" / "inbound").glob("alan+*")
    owned |= {eve: "alan", alan: "alan"}
    report = collect(exchange, assignment="hw1")
    assert submitted("ada") == b"first"
    assert submitted("alan") == ALAN
    assert any("was submitted by alan, as another" in said for said in report.refused)


@pytest.mark.parametrize("name", ["ADA", "ada@example.edu", "Ada Lovelace", "L1"])
def test_what_a_user_submits_as_another_in_other_words_evicts_nobody(
    collect, exchange, submitted, owned, name
):
    forged = f"{name}+hw1+2099-11-20 10:00:00 UTC"
    write(exchange / "small" / "inbound" / forged, {"hw1.ipynb": b"forged"})
    owned[exchange / "small" / "inbound" / forged] = "nobody"
    report = collect(exchange, assignment="hw1")
    assert submitted("ada") == ADA
    assert any("was submitted by nobody, as another" in said for said in report.refused)


def test_an_account_is_no_student_by_an_address_that_it_shares(
    collect, exchange, root, submitted, owned
):
    roster = root / "roster.csv"
    roster.write_text(roster.read_text("utf-8").replace("grace@", "grace2@"), "utf-8")
    inbound = exchange / "small" / "inbound"
    write(inbound / "grace+hw1+2026-11-20 10:00:00 UTC", {"hw1.ipynb": GRACE})
    other = write(inbound / "grace2+hw1+2099-11-20 10:00:00 UTC", {"hw1.ipynb": b"forged"})
    owned[other] = "grace2"
    report = collect(exchange, assignment="hw1")
    assert submitted("grace") == GRACE
    assert any("by grace2, and is no work of grace" in said for said in report.refused)


def test_an_exchange_of_several_courses_is_not_guessed(collect, exchange):
    write(exchange / "other" / "inbound" / "ada+hw1+2026-11-20 09:00:00 UTC", {"hw1.ipynb": ADA})
    with pytest.raises(UsageError, match="several courses: other, small"):
        collect(exchange)


GIT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@b",
    "GIT_AUTHOR_DATE": "2026-11-01T00:00:00+00:00",
    "GIT_COMMITTER_DATE": "2026-11-20T12:00:00+02:00",
}


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, env=GIT, check=True, capture_output=True)


@pytest.fixture
def clones(tmp_path):
    """Three clones: with a working tree that has changed, bare, and without a commit."""
    folder = tmp_path / "clones"
    ada = write(folder / "ada", {"hw1/hw1.ipynb": ADA, "hw2/hw2.ipynb": GRACE})
    git(ada, "init", "-q")
    git(ada, "add", ".")
    git(ada, "commit", "-qm", "work")
    git(folder, "clone", "-q", "--bare", "ada", "alan.git")
    (ada / "hw1" / "hw1.ipynb").write_bytes(b"not committed")
    (folder / "grace").mkdir()
    git(folder / "grace", "init", "-q")
    return folder


def test_clones_give_what_is_committed_with_the_committers_time(collect, clones, submitted):
    report = collect(clones, assignment="hw1")
    assert "--as git" in report.sources[0]
    assert (submitted("ada"), submitted("alan")) == (ADA, ADA)
    assert submitted("ada", "timestamp.txt") == b"2026-11-20 10:00:00.000000 UTC"
    assert submitted("ada", "hw2.ipynb") is None
    (refused,) = report.refused
    assert "grace is empty or damaged" in refused


def test_a_list_of_clones_may_name_the_students(collect, clones, submitted, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("# the class\ngrace clones/ada\nclones/alan.git\n\n")
    collect(path, assignment="hw1", form="git")
    assert (submitted("grace"), submitted("alan"), submitted("ada")) == (ADA, ADA, None)


def test_nothing_that_a_clone_configures_is_run(collect, clones, submitted, tmp_path):
    trap = tmp_path / "trap"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {trap}\n")
    program.chmod(0o755)
    ada = clones / "ada"
    for setting in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "gpg.program",
        "diff.external",
        "filter.evil.smudge",
        "filter.evil.clean",
        "diff.evil.textconv",
        "remote.origin.uploadpack",
        "credential.helper",
    ):
        git(ada, "config", setting, str(program))
    git(ada, "config", "log.showSignature", "true")
    git(ada, "config", "remote.origin.url", str(clones / "alan.git"))
    git(ada, "config", "remote.origin.promisor", "true")
    git(ada, "config", "remote.origin.partialclonefilter", "blob:none")
    git(ada, "config", "extensions.partialClone", "origin")
    git(ada, "config", "core.repositoryformatversion", "1")
    (ada / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil\n")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (ada / ".git" / "hooks" / hook).symlink_to(program)
    collect(clones, assignment="hw1")
    assert submitted("ada") == ADA
    for blob in (ada / ".git" / "objects").glob("??/*"):  # then what is missing is not fetched
        blob.unlink()
    report = collect(clones, assignment="hw1")
    assert any("ada is empty or damaged" in said for said in report.refused)
    assert not trap.exists()


@pytest.mark.parametrize("way", ["alternates", "link", "file"])
def test_a_clone_reads_nobody_elses_objects(collect, clones, submitted, way):
    eve = clones / "eve"
    eve.mkdir()
    git(eve, "init", "-q")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=clones / "ada", env=GIT, capture_output=True, check=True
    ).stdout
    branch = (eve / ".git" / "HEAD").read_text().split()[-1]
    (eve / ".git" / branch).write_bytes(head)
    objects = clones / "ada" / ".git" / "objects"
    if way == "alternates":
        (eve / ".git" / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    else:
        subprocess.run(["rm", "-r", eve / ".git" / "objects"], check=True)
        if way == "link":
            (eve / ".git" / "objects").symlink_to(objects)
        else:
            subprocess.run(["rm", "-r", eve / ".git"], check=True)
            (eve / ".git").write_text(f"gitdir: {clones / 'ada' / '.git'}\n")
    report = collect(clones, assignment="hw1", form="git")
    assert submitted("eve") is None
    assert "eve" in report.strays or any("eve reads another's files" in r for r in report.refused)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("lone", [None, "HEAD", "packed-refs", "config"])
def test_a_clone_with_a_link_anywhere_in_it_is_refused(collect, clones, submitted, packed, lone):
    ada, grace = clones / "ada" / ".git", clones / "grace" / ".git"
    if packed:
        git(clones / "ada", "gc", "-q")
    if lone is None:  # all below what must be a folder of its own
        for name in ("refs", "objects"):
            for path in (ada / name).iterdir():
                subprocess.run(["rm", "-rf", grace / name / path.name], check=True)
                (grace / name / path.name).symlink_to(path)
        if packed:
            (grace / "packed-refs").write_bytes((ada / "packed-refs").read_bytes())
    else:
        subprocess.run(["rm", "-rf", grace], check=True)
        subprocess.run(["cp", "-r", ada, grace], check=True)
        (ada / lone).touch()
        (grace / lone).unlink(missing_ok=True)
        (grace / lone).symlink_to(ada / lone)
    report = collect(clones, assignment="hw1", form="git")
    assert submitted("ada") == ADA
    assert submitted("grace") is None
    assert any("grace reads another's files (by a link)" in said for said in report.refused)


def test_a_clone_with_more_files_than_are_looked_through_is_refused(
    collect, clones, submitted, monkeypatch
):
    monkeypatch.setattr("autograder.collecting.git.MOST_ENTRIES", 5)
    report = collect(clones, assignment="hw1", form="git")
    assert submitted("ada") is None
    assert any("ada has more than 5 files (git gc helps)" in said for said in report.refused)
