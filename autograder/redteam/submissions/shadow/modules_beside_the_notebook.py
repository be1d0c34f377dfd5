# expect: earns nothing
# Submits numpy.py, torch/, sitecustomize.py, conftest.py, a .pth and a package autograder beside it.
import nbformat

CODE = """
import atexit, os, sys
try:
    open({path!r}, "w").write("ran")
except OSError:
    pass
"""


def make(folder, notebook):
    code = CODE.format(path=f"{PUBLIC}/{MARK}")
    names = ("numpy", "msgspec", "nbformat", "sitecustomize", "usercustomize", "conftest", "json")
    for name in names:
        (folder / f"{name}.py").write_text(code)
        (folder.parent / f"{name}.py").write_text(code)
    for name in ("torch", "autograder", "reference", "IPython"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(code)
    (folder / "evil.pth").write_text("import os; " + code.strip().replace("\n", "; "))
    (folder / "nbgrader_config.py").write_text(code)
    (folder / "course.toml").write_text("[limits]\ncell_seconds = 100000\n")
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
