"""nbgrader's tables come without a server, which still finds nbgrader's extensions."""

import subprocess
import sys

import pytest

CODE = """
import sys
from autograder.records.nbgrader_tables import tables
assert tables().Gradebook is sys.modules["nbgrader.api"].Gradebook
left = [name for name in sys.modules if "server_extensions" in name or "jupyter_server" in name]
assert left == [], left
import nbgrader
loads = [value for name, value in vars(nbgrader).items() if name.startswith("load_")]
assert len(loads) == 4
try:
    nbgrader.load_validate(None)
except AttributeError as error:  # of a server that is none, in nbgrader's own code
    names = [name for name in sys.modules if "server_extensions" in name]
    assert "nbgrader.server_extensions.validate_assignment.handlers" in names, names
else:
    raise AssertionError("it was not loaded")
from nbgrader.server_extensions import formgrader
assert formgrader.__file__
"""

OTHER = """
import sys
from autograder.records import nbgrader_tables
class Less(nbgrader_tables._Later):
    def __getattribute__(self, name):
        if name.startswith("load_"):
            raise AttributeError(name)
        return super().__getattribute__(name)
nbgrader_tables._Later = Less
assert nbgrader_tables.tables().Gradebook
assert type(sys.modules["nbgrader.server_extensions.formgrader"]).__name__ == "module"
"""


@pytest.mark.parametrize("code", [CODE, OTHER], ids=["as it is", "another version"])
def test_a_gradebook_needs_no_server_and_a_server_loads_what_it_needs(code):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
