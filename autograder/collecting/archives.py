"""Archives: zip, tar and tar.gz, read file by file in memory and never unpacked to a disk.

What an archive says of itself is not believed: sizes are counted while reading, in bounded blocks.
What is wrong with one file costs the others nothing; what is wrong with the whole (files that
overlap, too many of them, a damaged table of contents) refuses it.
"""

import gzip
import io
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from errno import EINVAL
from pathlib import Path, PurePosixPath
from typing import IO

from autograder.collecting.trees import BLOCK, OF_CLASS, OF_STUDENT, Caps, Refused, Tree, tree_of

__all__ = ["is_archive", "open_archive", "open_nested", "stem"]

SUFFIXES = (".zip", ".tar.gz", ".tar", ".tgz")
ENCRYPTED = 0x1 | 0x40 | 0x2000  # bits of a zip's flags
UTF_8 = 0x800
LOCAL_HEADER = 30  # bytes in front of each file of a zip, and its name
SMALL = 1 << 20  # bytes below which no ratio is looked at
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
# What the standard library raises where an archive is damaged, on purpose or not.
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    ValueError,
)


class _Bounded(io.BufferedReader):
    """A file of which nobody reads more at once than a table of contents may have."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = self.most
        if size > self.most:
            raise zipfile.BadZipFile(f"a record of {size} bytes")
        return super().read(size)


class _Meter:
    """Counts what was unpacked of an archive, over all of its files."""

    def __init__(self, name: str, caps: Caps) -> None:
        self.name, self.caps, self.total = name, caps, 0

    def read(self, place: str, file: IO[bytes], packed: int) -> bytes:
        """Return what a file holds, in bounded blocks, as long as it keeps within the caps."""
        blocks: list[bytes] = []
        size = 0
        while block := file.read(BLOCK):
            blocks.append(block)
            size += len(block)
            self.total += len(block)
            if size > self.caps.member:
                raise Refused(place, f"has more than {self.caps.member >> 20} MB")
            if size > SMALL and size > self.caps.ratio * packed:
                raise Refused(place, f"is more than {self.caps.ratio} times larger than packed")
            if self.total > self.caps.total:
                raise Refused(place, f"is beyond the {self.caps.total >> 20} MB that are unpacked")
        return b"".join(blocks)


def is_archive(name: str) -> bool:
    """Return whether a file is an archive by its name."""
    return name.lower().endswith(SUFFIXES)


def stem(name: str) -> str:
    """Return a file's name without its ending, which of an archive may have two dots."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return PurePosixPath(name).stem


def open_archive(path: Path, name: str, stack: ExitStack, caps: Caps = OF_CLASS) -> Tree:
    """Return the tree of an archive on this machine; its file stays open as long as the stack.

    Raises:
        Refused: it is no archive, damaged, or beyond the caps.
        OSError: it cannot be read.
    """
    return _open(io.FileIO(path), name, stack, caps)


def open_nested(data: bytes, name: str, stack: ExitStack, caps: Caps = OF_STUDENT) -> Tree:
    """Return the tree of an archive that a student submitted; an archive in it stays a file.

    Raises:
        Refused: it is no archive, damaged, or beyond the caps.
    """
    return _open(io.BytesIO(data), name, stack, caps)


def _open(raw: io.RawIOBase | io.BytesIO, name: str, stack: ExitStack, caps: Caps) -> Tree:
    file = stack.enter_context(_Bounded(raw))
    file.most = max(caps.directory, BLOCK)
    with _damage(name):
        start = file.read(4)
        file.seek(0)
        if start in ZIP:
            return _zip_tree(file, name, stack, caps)
        return _tar_tree(_unpacked(file, name, stack, caps), name, caps)


@contextmanager
def _damage(place: str) -> Iterator[None]:
    """Say of anything that the standard library stumbles over that an archive is damaged."""
    try:
        yield
    except DAMAGED as error:
        raise Refused(place, f"is damaged, or no archive: {_reason(error)}") from None
    except OSError as error:
        if error.errno != EINVAL:  # of a place before its beginning
            raise
        raise Refused(place, "is damaged: it points outside of itself") from None


def _reason(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__


def _zip_tree(file: _Bounded, name: str, stack: ExitStack, caps: Caps) -> Tree:
    archive = stack.enter_context(zipfile.ZipFile(file))
    infos = archive.infolist()
    if len(infos) > caps.members:
        raise Refused(name, f"holds more than {caps.members} files")
    ends = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < ends:
            raise Refused(name, "has files that lie over each other, as in a zip bomb")
        ends = info.header_offset + LOCAL_HEADER + info.compress_size
    meter = _Meter(name, caps)
    entries = [(_name(i), _zip_reader(archive, i, meter)) for i in infos if not i.is_dir()]
    return tree_of(name, entries, (), caps)


def _name(info: zipfile.ZipInfo) -> str:
    """Return a file's name; many programs write UTF-8 and do not say so."""
    if not info.flag_bits & UTF_8:
        try:
            return info.filename.encode("cp437").decode()
        except UnicodeError:
            pass
    return info.filename


def _zip_reader(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, meter: _Meter
) -> Callable[[], bytes]:
    place = f"{meter.name}, {_name(info)}"

    def read() -> bytes:
        if problem := _zip_problem(info, meter.caps):
            raise Refused(place, problem)
        with _damage(place), archive.open(info) as file:
            data = meter.read(place, file, info.compress_size)
        if len(data) != info.file_size:
            raise Refused(place, f"has {len(data)} bytes and not the {info.file_size} it claims")
        return data

    return read


def _zip_problem(info: zipfile.ZipInfo, caps: Caps) -> str | None:
    """Return why a file of a zip is not read, by what its table of contents says."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFREG):
        return "is a device, no file"
    if info.flag_bits & ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed in a way that is not read (method {info.compress_type})"
    if info.file_size > caps.member:
        return f"has more than {caps.member >> 20} MB"
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        return f"has {info.compress_size} bytes and not the {info.file_size} it claims"
    return None


def _unpacked(file: _Bounded, name: str, stack: ExitStack, caps: Caps) -> _Bounded:
    """Return a tar file without its compression, which lies on the disk, without a name."""
    start = file.read(2)
    packed = file.seek(0, io.SEEK_END)
    file.seek(0)
    if start != GZIP:
        return file
    whole = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # the stack closes it
    size = 0
    with gzip.GzipFile(fileobj=file) as inside:
        while block := inside.read(BLOCK):
            size += whole.write(block)
            if size > caps.total:
                raise Refused(name, f"has more than {caps.total >> 20} MB unpacked")
            if size > SMALL and size > caps.ratio * packed:
                raise Refused(name, f"is more than {caps.ratio} times larger than packed")
    whole.seek(0)
    return stack.enter_context(_Bounded(whole))


def _tar_tree(file: _Bounded, name: str, caps: Caps) -> Tree:
    file.most = BLOCK
    archive = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115  # the file is the stack's
    entries = []
    count = 0
    refused = []
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # else all headers stay in memory
        count += 1
        if count > caps.members:
            raise Refused(name, f"holds more than {caps.members} files")
        if info.isdir():
            continue
        place = f"{name}, {info.name[: caps.name]}"
        if len(info.name) > caps.name:
            refused.append(str(Refused(place, f"has a name of more than {caps.name} bytes")))
        elif info.issym() or info.islnk():
            refused.append(str(Refused(place, "is a link")))
        elif not info.isreg() or info.issparse():
            refused.append(str(Refused(place, "is a device, or has holes")))
        else:
            entries.append((info.name, _tar_reader(file, info.offset_data, info.size, place, caps)))
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE).strip(b"\0") or not count:
        raise Refused(name, "is damaged: what follows its last file is none")
    return tree_of(name, entries, refused, caps)


def _tar_reader(
    file: _Bounded, offset: int, size: int, place: str, caps: Caps
) -> Callable[[], bytes]:
    def read() -> bytes:
        if not 0 <= size <= caps.member:
            raise Refused(place, f"has more than {caps.member >> 20} MB")
        with _damage(place):
            file.seek(offset)
            blocks = [file.read(min(BLOCK, size - at)) for at in range(0, size, BLOCK)]
        if len(data := b"".join(blocks)) != size:
            raise Refused(place, f"has {len(data)} bytes and not the {size} it claims")
        return data

    return read
