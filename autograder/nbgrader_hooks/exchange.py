"""nbgrader's exchange: an assignment is released without the wheel of its release.

nbgrader submits the whole folder in which a student works. So a course's wheel, three quarters of a
release, lies in the exchange once, and each assignment's requirements name it there.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeReleaseAssignment

from autograder.version import DISTRIBUTION

__all__ = ["ReleaseAssignment"]

PACKAGES = "packages"  # the folder of wheels, beside nbgrader's inbound/ and outbound/
REQUIREMENTS = "requirements.txt"


class ReleaseAssignment(ExchangeReleaseAssignment):  # type: ignore[misc]
    """Releases an assignment to the exchange, and the package that it needs beside all of them."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a release but for its wheel, and say where that is."""
        super().do_copy(src, dest, log)
        wheels = sorted(Path(src).glob("*.whl"))
        packages = Path(self.course_path) / PACKAGES
        self.ensure_directory(str(packages), 0o2775 if self.coursedir.groupshared else 0o755)
        requirements = Path(dest) / REQUIREMENTS
        for wheel in wheels:
            shutil.copyfile(wheel, new := packages / f".{wheel.name}.{os.getpid()}")
            new.chmod(0o644)
            new.replace(there := packages / wheel.name)
            if requirements.is_file():
                text = requirements.read_text(encoding="utf-8")
                named = f"{DISTRIBUTION} @ {there.absolute().as_uri()}"
                requirements.write_text(
                    text.replace(f"./{wheel.name}", named), encoding="utf-8", newline="\n"
                )
