# expect: needs attention
# Submits a zip file whose members climb out of its folder, and a tar file with links.
import io
import tarfile
import zipfile


def make(folder, notebook):
    with zipfile.ZipFile(folder / f"{folder.name}.zip", "w") as archive:
        for path in (f"../../{HONEST}/{MARK}", f"../../../{MARK}", f"/tmp/{MARK}", f"..\\{MARK}"):
            archive.writestr(path, "out")
    with tarfile.open(folder / f"{folder.name}.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/tmp"
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo(f"link/{MARK}"), io.BytesIO())
