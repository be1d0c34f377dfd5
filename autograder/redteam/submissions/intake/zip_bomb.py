# expect: needs attention
# Submits a zip file of 200 KB that holds 200 MB, under the notebook's name.
import zipfile


def make(folder, notebook):
    path = folder / f"{folder.name}.ipynb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{folder.name}.ipynb", b" " * (200 << 20))
