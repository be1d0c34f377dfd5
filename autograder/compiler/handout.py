"""What lies beside a release's notebook: wheel, requirements, instructions; and its first cell."""

import json
from collections.abc import Collection

from autograder.artefacts.manifest import Manifest
from autograder.artefacts.recording import FILE as RECORDING
from autograder.artefacts.release import FIRST_LINE
from autograder.compiler.versions import COMPUTING
from autograder.compiler.wheel import wheel
from autograder.student.ready import advice
from autograder.version import DISTRIBUTION, wheel_name

__all__ = ["companions", "first_cell"]

# What a release runs with; these only where the assignment uses them.
OPTIONAL = ("torch", "matplotlib")
LOWER_BOUNDS = {"numpy": "1.26", "torch": "2.2", "matplotlib": "3.8", "jupyterlab": "4.0"}
# PyTorch has no newer versions for Macs with Intel's processors, and these need this NumPy.
INTEL_MAC = 'sys_platform == "darwin" and platform_machine == "x86_64"'
NOT_INTEL_MAC = 'sys_platform != "darwin" or platform_machine != "x86_64"'
ON_INTEL_MAC = {"numpy": "numpy>=1.26,<2", "torch": "torch>=2.2"}
TORCH_FILE = "requirements-torch.txt"
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"

_FIRST_CELL = """\
{first_line}
# {graded_with}
try:
    from autograder.student.ready import look as _look
except Exception:  # nothing of that name, or another package's
    raise ImportError(
        "this notebook needs {distribution} {version}, which is not installed here (the package "
        "autograder on PyPI is another project).\\n"
{advice}
    ) from None
_look("{version}", python="{python}", files={files})
"""

_README = """\
# {title}

| file | what it is for |
|---|---|
| `{name}.ipynb` | the notebook in which you work, and which you submit |
| `{recording}` | with it the checks below the questions tell whether an answer is right |
| `{wheel}` | the package that the notebook imports as `autograder` |
| `requirements.txt` | what to install |
{torch_file}{data}
Keep all of them in one folder. nbgrader fetches all but the package, which stays in the course's
exchange: `requirements.txt` then names it there. {graded_with}

## Set up, once for the whole course

You need Python {python} or newer. Newer ones are fine, but use nothing that Python {python} lacks:
that is what grading runs. Open a terminal in this folder.

On Linux and macOS:

```
python3 -m venv ~/{environment}
source ~/{environment}/bin/activate
python -m pip install -r requirements.txt
{torch_line}jupyter lab
```

On Windows, in PowerShell:

```
py -m venv $HOME\\{environment}
Set-ExecutionPolicy -Scope Process RemoteSigned
& $HOME\\{environment}\\Scripts\\Activate.ps1
python -m pip install -r requirements.txt
{torch_line}jupyter lab
```

For the next assignment use the same environment: activate it, go to the new folder, and run what
stands below that again.
{torch}
**VS Code.** Set up as above, open this folder, open the notebook, and choose *Select Kernel*,
*Python Environments*, `{environment}`.

**Google Colab.** Upload the notebook (*File*, *Upload notebook*). Open *Files* on the left and
upload {uploads} there.
Run this in a new cell, restart the session, and delete the cell:

```
%pip install ./{wheel}
```

Colab forgets what you uploaded when its session ends; the notebook it keeps.

## Work, check, submit

Run the first cell: if something is missing, it says what to do. Write your answers where a cell
says so, and keep names and arguments. Below each question a check runs your code on the visible
cases; grading uses fresh inputs and further cases.

```
autograder check {name}.ipynb
```

runs the whole notebook and all checks, in a terminal with the environment activated. It stops what
does not end. Before you submit, restart the kernel, run all cells, save; then submit
`{name}.ipynb` alone, under this name.
"""

_TORCH = f"""
`{TORCH_FILE}` takes PyTorch's build for processors without a GPU, 200 MB. With an NVIDIA
GPU on Linux or Windows, delete its line with `{CPU_BUILDS}` first: the
build that comes then takes some 6 GB.
"""


def first_cell(manifest: Manifest, data: Collection[str]) -> str:
    """Return the text of the cell in front of a release's notebook."""
    version = manifest.autograder
    lines = advice(version).splitlines(keepends=True)
    return _FIRST_CELL.format(
        first_line=FIRST_LINE,
        graded_with=_graded_with(manifest),
        distribution=DISTRIBUTION,
        version=version,
        advice="\n".join(f"        {json.dumps(line)}" for line in lines),
        python=manifest.versions["python"],
        files=json.dumps([RECORDING, *_tops(data)]),
    )


def companions(manifest: Manifest, data: Collection[str]) -> dict[str, bytes]:
    """Return the files beside the notebook and its recording, but for the assignment's data."""
    file, content = wheel()
    found = {
        "README.md": _readme(manifest, data).encode(),
        "requirements.txt": _requirements(manifest).encode(),
        file: content,
    }
    if _is_used(manifest, "torch"):
        found[TORCH_FILE] = _torch_requirements(manifest).encode()
    return found


def _requirements(manifest: Manifest) -> str:
    lines = [
        "# In this folder: python -m pip install -r requirements.txt",
        f"# {_graded_with(manifest)}",
        f"./{wheel_name(manifest.autograder)}",
    ]
    for package in LOWER_BOUNDS:
        if package != "torch" and _is_used(manifest, package):
            lines += _lines_of(manifest, package)
    return "\n".join([*lines, ""])


def _torch_requirements(manifest: Manifest) -> str:
    """Return what installs PyTorch: apart, as its index has it and little else.

    Beside the other packages pip would ask that index for each of them, in vain.
    """
    lines = [
        f"# In this folder, behind requirements.txt: python -m pip install -r {TORCH_FILE}",
        "# PyTorch for processors, 200 MB; for an NVIDIA GPU delete the next line (6 GB):",
        f"--extra-index-url {CPU_BUILDS}",
        *_lines_of(manifest, "torch"),
    ]
    return "\n".join([*lines, ""])


def _lines_of(manifest: Manifest, package: str) -> list[str]:
    """Return the lines that ask pip for a package, as grading has it where that is possible."""
    if package not in ON_INTEL_MAC or package not in manifest.versions:
        return [f"{package}>={LOWER_BOUNDS[package]}"]
    pinned = f"{package}=={_public(manifest, package)}"
    return [f"{pinned}; {NOT_INTEL_MAC}", f"{ON_INTEL_MAC[package]}; {INTEL_MAC}"]


def _readme(manifest: Manifest, data: Collection[str]) -> str:
    file, folders = wheel_name(manifest.autograder), _tops(data)
    uploads = [f"`{name}`" for name in (file, RECORDING, *folders)]
    torch = _is_used(manifest, "torch")
    return _README.format(
        title=manifest.title,
        name=manifest.assignment,
        recording=RECORDING,
        wheel=file,
        data="".join(f"| `{folder}/` | data that the notebook reads |\n" for folder in folders),
        graded_with=_graded_with(manifest),
        python=manifest.versions["python"],
        environment="course-env",
        torch=_TORCH if torch else "",
        torch_file=f"| `{TORCH_FILE}` | the same for PyTorch |\n" if torch else "",
        torch_line=f"python -m pip install -r {TORCH_FILE}\n" if torch else "",
        uploads=f"{', '.join(uploads[:-1])} and {uploads[-1]}",
    )


def _graded_with(manifest: Manifest) -> str:
    """Say with which versions grading runs."""
    used = [p for p in COMPUTING if _is_used(manifest, p) and p in manifest.versions]
    packages = "".join(f", {package} {_public(manifest, package)}" for package in used)
    return f"Graded with Python {manifest.versions['python']}{packages}."


def _is_used(manifest: Manifest, package: str) -> bool:
    return package not in OPTIONAL or package in manifest.preload


def _public(manifest: Manifest, package: str) -> str:
    """Return a version without the name of its build: 2.4.1 of 2.4.1+cpu."""
    return manifest.versions[package].partition("+")[0]


def _tops(data: Collection[str]) -> list[str]:
    """Return the top folders of an assignment's data."""
    return sorted({path.partition("/")[0] for path in data})
