"""Attacks by archives: each ends in one sentence, and what is beside it is read."""

import io
import stat
import struct
import tarfile
import zipfile
from contextlib import ExitStack

import pytest

from autograder.collecting.archives import is_archive, open_archive, open_nested, stem
from autograder.collecting.trees import OF_STUDENT, Caps, Refused
from tests.collecting.conftest import zipped

SMALL = Caps(total=4 << 20, member=1 << 20, ratio=50, members=20, name=100, depth=4)


@pytest.fixture
def tree():
    """Returns the tree of an archive, which stays open for the test."""
    with ExitStack() as stack:
        yield lambda data, caps=SMALL: open_nested(data, "x.zip", stack, caps)


def refused(tree, name):
    """Return why a file of a tree is not read."""
    (member,) = (one for one in tree.members if one.name == name)
    with pytest.raises(Refused) as error:
        member.read()
    return str(error.value)


def special(name, mode=0, system=3, **attributes):
    """Return a zip with a file of a kind, and a good one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = system
        info.external_attr = mode << 16
        for key, value in attributes.items():
            setattr(info, key, value)
        archive.writestr(info, b"/etc/passwd")
        archive.writestr("good.ipynb", b"good")
    return buffer.getvalue()


def good(tree):
    return [one.read() for one in tree.members if one.name == "good.ipynb"] == [b"good"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.ipynb", "climbs out of its folder"),
        ("a/../../evil.ipynb", "climbs out of its folder"),
        ("a\\..\\evil.ipynb", "climbs out of its folder"),
        ("/etc/evil.ipynb", "absolute path"),
        ("\\\\host\\evil.ipynb", "absolute path"),
        ("C:\\evil.ipynb", "absolute path"),
        ("c:evil.ipynb", "absolute path"),
        ("a/b/c/d/e/evil.ipynb", "too deep"),
        ("x" * 101, "more than 100 bytes"),
        ("./.", "has no name"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_and_the_others_are_read(tree, name, said):
    found = tree(special(name))
    (sentence,) = found.refused
    assert said in sentence
    assert sentence.startswith("x.zip, ")
    assert good(found)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO])
@pytest.mark.parametrize("system", [0, 3])
def test_a_link_or_a_device_in_a_zip_is_not_read(tree, kind, system):
    found = tree(special("evil.ipynb", kind | 0o777, system))
    what = "link" if kind == stat.S_IFLNK else "device, no file"
    assert refused(found, "evil.ipynb") == f"x.zip, evil.ipynb is a {what}"
    assert good(found)


def test_two_files_of_one_name_are_both_refused(tree):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hw1.ipynb", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("hw1.ipynb", b"other")
        archive.writestr("./good.ipynb", b"good")
    found = tree(buffer.getvalue())
    assert [one.name for one in found.members] == ["good.ipynb"]
    assert found.refused == ("x.zip, hw1.ipynb is there more than once: none is taken",)


def patched(data, name, offset, value, form="<I"):
    """Return a zip in whose table of contents a field of a file is another one."""
    at = 0
    while (at := data.index(b"PK\x01\x02", at)) >= 0:
        length = struct.unpack_from("<H", data, at + 28)[0]
        if data[at + 46 : at + 46 + length] == name:
            changed = bytearray(data)
            struct.pack_into(form, changed, at + offset, value)
            return bytes(changed)
        at += 4
    return None


FILES = {"evil.ipynb": b"e" * 1000, "good.ipynb": b"good"}
FLAGS, METHOD, CRC, PACKED, SIZE, OFFSET = 8, 10, 16, 20, 24, 42


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("offset", "value", "form"),
    [
        (SIZE, 10, "<I"),
        (SIZE, 2000, "<I"),
        (SIZE, 0xFFFFFFFF, "<I"),
        (PACKED, 3, "<I"),
        (CRC, 7, "<I"),
        (METHOD, 12, "<H"),
        (METHOD, 99, "<H"),
        (FLAGS, 1, "<H"),
        (FLAGS, 0x41, "<H"),
    ],
)
def test_what_a_zip_says_falsely_of_a_file_costs_that_file_only(tree, packing, offset, value, form):
    data = patched(zipped(FILES, packing), b"evil.ipynb", offset, value, form)
    found = tree(data)
    assert refused(found, "evil.ipynb").startswith("x.zip, evil.ipynb ")
    assert good(found)


def test_an_encrypted_file_is_called_so(tree):
    data = patched(zipped(FILES), b"evil.ipynb", FLAGS, 1, "<H")
    assert refused(tree(data), "evil.ipynb") == "x.zip, evil.ipynb is encrypted"


def test_a_bomb_ends_at_its_ratio(tree):
    found = tree(zipped({"evil.ipynb": bytes(1 << 20), "good.ipynb": b"good"}))
    assert good(found)
    with_more = Caps(member=8 << 20, ratio=50)
    found = tree(zipped({"evil.ipynb": bytes(8 << 20)}), with_more)
    assert "is more than 50 times larger than packed" in refused(found, "evil.ipynb")


def test_a_file_that_is_larger_than_it_says_ends_where_it_said(tree):
    data = zipped({"evil.ipynb": bytes(8 << 20)})
    found = tree(patched(data, b"evil.ipynb", SIZE, 1000))
    assert "is damaged" in refused(found, "evil.ipynb")


def test_a_file_and_all_of_them_have_a_size_that_they_keep_within(tree):
    noise = bytes(range(256)) * 4096  # a megabyte
    found = tree(zipped({"evil.ipynb": noise + b"x"}, zipfile.ZIP_STORED))
    assert "has more than 1 MB" in refused(found, "evil.ipynb")
    found = tree(zipped({f"{n}.ipynb": noise for n in range(5)}, zipfile.ZIP_STORED))
    for number in range(4):
        assert found.members[number].read() == noise
    assert "is beyond the 4 MB that are unpacked" in refused(found, "4.ipynb")


def test_too_many_files_are_refused(tree):
    with pytest.raises(Refused, match=r"x\.zip holds more than 20 files"):
        tree(zipped({f"{n}.ipynb": b"" for n in range(21)}))


def test_a_table_of_contents_that_is_too_long_is_not_read(tree):
    caps = Caps(directory=1 << 16, members=10**6)
    data = zipped({f"{n:0200}.ipynb": b"" for n in range(6000)})
    with pytest.raises(Refused, match="a record of"):
        tree(data, caps)


def test_files_that_lie_over_each_other_are_refused(tree):
    data = zipped({"a.ipynb": b"a" * 100, "b.ipynb": b"b" * 100})
    with pytest.raises(Refused, match="lie over each other"):
        tree(patched(data, b"b.ipynb", OFFSET, 0))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"PK\x03\x04",
        b"PK\x05\x06" + bytes(17),
        b"PK\x05\x06" + b"\xff" * 18,
        b"\x1f\x8b",
        b"\x1f\x8b\x08" + bytes(40),
        b"Rar!\x1a\x07\x00" + bytes(1000),
        b"7z\xbc\xaf\x27\x1c",
        b"<html>Not logged in</html>" * 100,
        bytes(10240),
    ],
)
def test_what_is_no_archive_is_said_in_a_sentence(tree, data):
    with pytest.raises(Refused) as error:
        tree(data)
    assert str(error.value).startswith("x.zip is damaged")
    assert "\n" not in str(error.value)


def tarred(*infos, mode="w", form=tarfile.GNU_FORMAT):
    """Return a tar of entries, each a TarInfo and what it holds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form) as archive:
        for info, data in infos:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def entry(name, kind=tarfile.REGTYPE, data=b"", link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, data


GOOD = entry("good.ipynb", data=b"good")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize(
    ("evil", "said"),
    [
        (entry("evil", tarfile.SYMTYPE, link="/etc/passwd"), "is a link"),
        (entry("evil", tarfile.LNKTYPE, link="good.ipynb"), "is a link"),
        (entry("evil", tarfile.FIFOTYPE), "is a device"),
        (entry("evil", tarfile.CHRTYPE), "is a device"),
        (entry("evil", tarfile.BLKTYPE), "is a device"),
        (entry("../evil", data=b"x"), "climbs out"),
        (entry("/evil", data=b"x"), "absolute path"),
        (entry("x/" * 5 + "evil", data=b"x"), "too deep"),
        (entry("x" * 150, data=b"x"), "more than 100 bytes"),
        (entry("good.ipynb", data=b"x"), "more than once"),
    ],
)
def test_evil_entries_of_a_tar_are_refused_each_by_itself(tree, mode, evil, said):
    found = tree(tarred(entry("fine.ipynb", data=b"fine"), evil, GOOD, mode=mode))
    (sentence,) = found.refused
    assert said in sentence
    assert found.members[0].read() == b"fine"


def test_a_file_of_a_tar_with_holes_is_refused(tree):
    info, _ = entry("evil.ipynb")
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[156:157] = b"S"
    head[483:495] = b"77777777777\0"  # the size that it pretends to have
    head[148:156] = b"        "
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    found = tree(bytes(head) + tarred(GOOD))
    assert "has holes" in found.refused[0]
    assert good(found)


def test_a_bomb_of_gzip_ends_at_its_ratio_and_a_large_one_at_its_size(tree):
    bomb = tarred(entry("evil.ipynb", data=bytes(3 << 20)), mode="w:gz")
    with pytest.raises(Refused, match="is more than 50 times larger than packed"):
        tree(bomb)
    with pytest.raises(Refused, match="has more than 2 MB unpacked"):
        tree(bomb, Caps(total=2 << 20, ratio=10**9))


def test_a_tar_with_too_many_files_or_a_large_one_is_refused(tree):
    with pytest.raises(Refused, match="holds more than 20 files"):
        tree(tarred(*(entry(f"{n}.ipynb") for n in range(21))))
    found = tree(tarred(entry("evil.ipynb", data=bytes((1 << 20) + 1)), GOOD))
    assert "has more than 1 MB" in refused(found, "evil.ipynb")
    assert good(found)


@pytest.mark.parametrize("size", [b"77777777777\0", b"\x80" + bytes(3) + b"\x7f" * 8, b"\xff" * 12])
def test_a_tar_that_lies_of_a_size_is_refused(tree, size):
    head = bytearray(entry("evil.ipynb")[0].tobuf(tarfile.GNU_FORMAT))
    head[124:136] = size
    head[148:156] = b"        "
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    with pytest.raises(Refused, match=r"^x\.zip"):
        [member.read() for member in tree(bytes(head) + tarred(GOOD)).members]


def test_a_tar_that_was_cut_off_loses_no_student_silently(tree):
    data = tarred(entry("a.ipynb", data=b"a" * 2000), GOOD)
    with pytest.raises(Refused, match="what follows its last file is none"):
        tree(data[:2560] + b"\x01" * 512 + data[3072:])


def test_a_header_of_a_tar_that_is_too_long_is_not_read(tree):
    info, _ = entry("x.ipynb")
    info.pax_headers = {"comment": "x" * (2 << 20)}
    with pytest.raises(Refused, match="is damaged"):
        tree(tarred((info, b""), form=tarfile.PAX_FORMAT))


def test_hostile_names_steer_no_terminal(tree):
    found = tree(special("../\x1b[2J\u202eevil\nfine"))
    assert found.refused == (
        "x.zip, ../\\x1b[2J\\u202eevil\\nfine has a path that climbs out of its folder",
    )


def test_an_archive_on_the_disk_is_closed_with_the_stack(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a.ipynb": b"a"}))
    with ExitStack() as stack:
        (member,) = open_archive(path, "x.zip", stack).members
        assert member.read() == b"a"
    with pytest.raises(Refused):
        member.read()


def test_what_an_archive_is_called():
    assert [is_archive(n) for n in ("a.ZIP", "a.tar.gz", "a.tgz", "a.tar", "a.gz", "a.rar")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert [stem(n) for n in ("ada.b.zip", "a.tar.gz", "x.ipynb")] == ["ada.b", "a", "x"]
    assert OF_STUDENT.total < Caps().total
