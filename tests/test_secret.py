"""The course's secret: where it comes from, and that no accident makes it the demo secret."""

import pytest

from autograder.errors import UsageError
from autograder.secret import DEMO_SECRET, secret_of_environment


def test_the_secret_is_that_of_its_file_of_its_variable_or_the_demo_secret(tmp_path):
    (file := tmp_path / "secret").write_text("the secret of the course\n")
    assert (
        secret_of_environment({"AUTOGRADER_SECRET_FILE": str(file)}) == b"the secret of the course"
    )
    assert secret_of_environment({"AUTOGRADER_SECRET": "the secret of CI"}) == b"the secret of CI"
    assert secret_of_environment({"AUTOGRADER_SECRET": ""}) == DEMO_SECRET
    assert secret_of_environment({}) == DEMO_SECRET


@pytest.mark.parametrize(("text", "words"), [("", "is empty"), ("\n", "is empty"), ("short", "16")])
def test_a_file_that_is_being_written_is_no_secret(tmp_path, text, words):
    (file := tmp_path / "secret").write_text(text)
    with pytest.raises(UsageError, match=words):
        secret_of_environment({"AUTOGRADER_SECRET_FILE": str(file)})
