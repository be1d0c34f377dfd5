"""Where the gradebook is, by course.toml and the environment."""

import pytest

from autograder.course import find_course
from autograder.errors import UsageError
from autograder.records.databases import database_of

SAID, SECRET = "postgresql://staff@db.example.edu/grades", "postgresql://staff:hush@db2/grades"


@pytest.fixture
def where(tmp_path, monkeypatch):
    """Returns the URL of a course's gradebook, by a table and the environment."""

    def where(table="", said=None):
        (tmp_path / "course.toml").write_text(table)
        monkeypatch.delenv("AUTOGRADER_GRADEBOOK_URL", raising=False)
        if said is not None:
            monkeypatch.setenv("AUTOGRADER_GRADEBOOK_URL", said)
        return find_course(tmp_path).gradebook_url

    return where


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, SAID),
        ("", SAID),
        (SECRET, SECRET),
        ("postgresql+psycopg://db2/grades", "postgresql://db2/grades"),
    ],
)
def test_the_environment_takes_the_place_of_what_course_toml_says(where, said, found):
    assert where(f'[gradebook]\nurl = "{SAID}"', said) == found


def test_a_course_that_names_no_server_comes_into_no_database_of_another(where, tmp_path):
    assert where("", SECRET) == ""
    assert database_of(find_course(tmp_path)).name == "gradebook.db"


def test_a_password_is_in_no_words_of_ours(where, tmp_path):
    where(f'[gradebook]\nurl = "{SAID}"', SECRET)
    course = find_course(tmp_path)
    assert database_of(course).name == "the gradebook 'grades' on db2"
    assert "hush" not in repr(course)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("gradebook = 1", r"gradebook must be a table, got 1"),
        ('[gradebook]\nuri = "x"', r"a key of gradebook must be url, got 'uri'"),
        ("[gradebook]\nurl = 1", r"gradebook\.url must be like postgresql://.*, got 1"),
        ('[gradebook]\nurl = "sqlite:///x.db"', r"got 'sqlite:///x\.db'"),
        (
            '[gradebook]\nurl = "postgresql://db.example.edu"',
            r"got 'postgresql://db\.example\.edu'",
        ),
        ('[gradebook]\nurl = "postgresql://[db/grades"', r"must be like"),
        (
            f'[gradebook]\nurl = "{SECRET}"',
            r"must tell no password, as this file is no secret; say",
        ),
        (f'[gradebook]\nurl = "{SAID}?password=hush"', r"must tell no password"),
    ],
)
def test_what_is_wrong_is_said_with_its_value_and_without_a_password(where, table, why):
    with pytest.raises(UsageError, match=rf"course\.toml: .*{why}") as raised:
        where(table)
    assert "hush" not in str(raised.value)


def test_a_variable_that_is_no_url_is_said_without_its_value(where):
    with pytest.raises(
        UsageError, match="AUTOGRADER_GRADEBOOK_URL must be like postgresql://"
    ) as one:
        where(f'[gradebook]\nurl = "{SAID}"', "mysql://staff:hush@db/grades")
    assert "hush" not in str(one.value)


def test_the_driver_is_said_as_nbgrader_must_have_it():
    from autograder.records.gradebook_server import url_for_nbgrader

    assert url_for_nbgrader(SECRET) == SECRET.replace("postgresql", "postgresql+psycopg")
