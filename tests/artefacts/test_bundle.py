import contextlib
import zipfile
from io import BytesIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.artefacts.bundle import Cell, pack_bundle, parse_bundle, read_bundle
from autograder.authoring.standard import Standard
from autograder.errors import HarnessError


@pytest.fixture(scope="module")
def packed(bundle_content):
    return pack_bundle(*bundle_content)


def rewritten(data, change):
    """Return a bundle whose files were changed without its manifest."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_bundle_is_read_as_it_was_written(bundle_content, tmp_path):
    manifest, cells, _, reference = bundle_content
    path = tmp_path / "tiny.bundle"
    files = {"data": {"data/a b.bin": b"\0\1"}, "resources": {"reference/a.bin": b"\xff"}}
    path.write_bytes(pack_bundle(*bundle_content, **files))
    bundle = read_bundle(path)
    assert bundle.id.startswith("sha256:")
    assert bundle.data == files["data"]
    assert bundle.resources == files["resources"]
    assert bundle.source == cells
    assert bundle.reference == reference
    assert msgspec.structs.replace(bundle.manifest, files={}) == manifest
    assert [c.source for c in bundle.release.cells][1] == "import numpy as np\n\nFACTOR = 2"
    assert bundle.manifest.possible == 9.0


def test_the_same_content_is_the_same_bytes_in_any_order(bundle_content, packed):
    manifest, cells, release, reference = bundle_content
    assert pack_bundle(*bundle_content) == packed
    turned = dict(reversed(reference.items()))
    assert pack_bundle(manifest, cells, release, turned) == packed


def test_another_content_is_another_id(bundle_content, packed):
    manifest, cells, release, reference = bundle_content
    other = pack_bundle(manifest, (*cells, Cell("given", 9, "")), release, reference)
    assert parse_bundle(other, "b").id != parse_bundle(packed, "b").id


def change_file(name):
    return lambda files: files.update({name: files[name] + b" "})


@pytest.mark.parametrize(
    "change",
    [
        change_file("source.json"),
        change_file("release.ipynb"),
        change_file("reference/multiples.py"),
        lambda files: files.pop("reference/multiples.py"),
        lambda files: files.update({"reference/more.py": b""}),
    ],
)
def test_a_file_that_is_not_what_the_manifest_says_is_the_harness(packed, change):
    with pytest.raises(HarnessError, match=r"^b is not what its manifest says"):
        parse_bundle(rewritten(packed, change), "b")


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files.pop("manifest.json"),
        lambda files: files.pop("source.json"),
        lambda files: files.update({"manifest.json": b"{}"}),
        lambda files: files.update({"manifest.json": b"\xff"}),
        lambda files: files.update({"source.json": b"[3]"}),
    ],
)
def test_a_bundle_without_its_parts_is_the_harness(packed, change):
    with pytest.raises(HarnessError, match=r"^b is no bundle"):
        parse_bundle(rewritten(packed, change), "b")


def test_a_bundle_of_an_earlier_version_says_what_to_do(packed):
    def earlier(files):
        text = files["manifest.json"].decode()
        standard = msgspec.json.encode(Standard()).decode()
        assert standard in text
        files["manifest.json"] = text.replace(f'"standard":{standard}', '"factor":4.0').encode()

    with pytest.raises(HarnessError, match=r"`factor`.*; compile the assignment again$"):
        parse_bundle(rewritten(packed, earlier), "b")


def test_the_standard_of_each_check_is_in_the_manifest(bundle_content):
    manifest, *rest = bundle_content
    standard = Standard(4.0, 2.0, 1e-6, 2e-6, 1e-7)
    replace = msgspec.structs.replace
    questions = tuple(
        replace(q, checks=tuple(replace(c, standard=standard) for c in q.checks))
        for q in manifest.questions
    )
    packed = pack_bundle(replace(manifest, questions=questions), *rest)
    found = [c.standard for q in parse_bundle(packed, "b").manifest.questions for c in q.checks]
    assert found == [standard] * len(found) != []


def test_a_missing_bundle_says_what_to_do(tmp_path):
    with pytest.raises(
        HarnessError, match=r"^there is no bundle .*; compile the assignment first$"
    ):
        read_bundle(tmp_path / "no.bundle")
    with pytest.raises(HarnessError):
        read_bundle(tmp_path)


def damaged(data):
    with contextlib.suppress(HarnessError):
        parse_bundle(data, "b")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_bundle_are_the_harness(data):
    with pytest.raises(HarnessError):
        parse_bundle(data, "b")


def test_a_byte_that_fell_over_is_the_harness_wherever_it_is(packed):
    for place in range(0, len(packed), 7):
        flipped = bytearray(packed)
        flipped[place] ^= 0xFF
        damaged(bytes(flipped))


def test_a_bundle_cut_short_is_the_harness(packed):
    for length in range(0, len(packed), 97):
        with pytest.raises(HarnessError):
            parse_bundle(packed[:length], "b")
