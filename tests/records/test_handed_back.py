"""What is beside a page for nbgrader's release: nothing of a student's that would stop it."""

import pytest

from autograder.records.handed_back import write_for_release

TIME = b"2026-11-20 10:00:00.123456 UTC"
SECRET = b"5f" * 64


@pytest.fixture
def release(tmp_path):
    """Writes what a student submitted, and returns what nbgrader finds beside the page."""
    submitted = tmp_path / "submitted" / "ada" / "hw1"
    page = tmp_path / "feedback" / "ada" / "hw1" / "hw1.html"
    submitted.mkdir(parents=True)
    page.parent.mkdir(parents=True)

    def release(time=TIME, secret=SECRET):
        (submitted / "timestamp.txt").write_bytes(time)
        (submitted / "submission_secret.txt").write_bytes(secret)
        write_for_release(page, submitted / "hw1.ipynb")
        names = ("timestamp.txt", "submission_secret.txt")
        return tuple(page.with_name(name).read_bytes() for name in names)

    release.page = page
    return release


def test_what_nbgrader_wrote_is_passed_on_as_it_is(release):
    assert release() == (TIME, SECRET)


@pytest.mark.parametrize(
    "secret",
    [b"", b"\xff\xfe\xff", b"\xc3", "schlüssel".encode(), b"a\0b", b"x" * 1001],
)
def test_a_secret_that_is_none_is_replaced_by_one_that_nobody_knows_and_that_stays(release, secret):
    _, made = release(secret=secret)
    assert len(made) == 128
    assert made.isalnum()
    assert release(secret=secret) == (TIME, made)


def test_a_secret_that_is_none_and_was_passed_on_before_is_replaced(release):
    release.page.with_name("submission_secret.txt").write_bytes(b"\xff\xfe\xff")
    _, made = release(secret=b"\xff\xfe\xff")
    assert made.isascii()


@pytest.mark.parametrize("time", [b"\xff\xff", b"soon", "2026年".encode(), b"x" * 1001])
def test_a_time_that_is_none_is_empty(release, time):
    assert release(time=time) == (b"", SECRET)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its open file
def test_nbgrader_releases_the_class_whatever_one_student_wrote(release, tmp_path):
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import ExchangeReleaseFeedback

    release(b"\xff\xff", b"\xff\xfe\xff")
    release.page.write_text("<html></html>")
    course = CourseDirectory(root=str(tmp_path), course_id="dl", assignment_id="hw1")
    (tmp_path / "exchange").mkdir(mode=0o777)
    (tmp_path / "exchange").chmod(0o777)
    exchange = ExchangeReleaseFeedback(coursedir=course, root=str(tmp_path / "exchange"))
    exchange.start()
    (page,) = (tmp_path / "exchange" / "dl" / "feedback").iterdir()
    assert page.read_text() == "<html></html>"
