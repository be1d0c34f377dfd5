"""A new course, and what of its files is kept up to date."""

from pathlib import Path

import pytest

from autograder.compiler.new_course import NBGRADER_CONFIG, write_course
from autograder.course import find_course
from autograder.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_folder_becomes_a_course_with_a_first_assignment(tmp_path):
    told = write_course(tmp_path, 'The "deep" one', None)
    assert told[:3] == ["wrote course.toml", "wrote nbgrader_config.py", "wrote .gitignore"]
    course = find_course(tmp_path)
    assert (course.name, course.assignments()) == ('The "deep" one', ["hw1"])
    assert "submitted/" in (tmp_path / ".gitignore").read_text().splitlines()
    assert write_course(tmp_path, 'The "deep" one', None) == ["every file is as it should be"]


def test_the_first_assignment_may_have_a_name_and_another_one_be_added(tmp_path):
    write_course(tmp_path, "A", "intro")
    write_course(tmp_path, "A", "more")
    assert find_course(tmp_path).assignments() == ["intro", "more"]
    with pytest.raises(UsageError, match=r"^assignments/more is there already$"):
        write_course(tmp_path, "A", "more")


def test_our_part_of_the_configuration_is_written_again_and_yours_stays(tmp_path):
    write_course(tmp_path, "A", None)
    config = tmp_path / "nbgrader_config.py"
    own = "c.Exchange.root = '/srv/exchange'\n"
    config.write_text(NBGRADER_CONFIG.replace("configure(c, __file__)", "configure(c)") + own)
    (said,) = write_course(tmp_path, "A", None)
    assert said.startswith("wrote our part of nbgrader_config.py again")
    assert config.read_text() == NBGRADER_CONFIG + own


def test_what_somebody_else_wrote_is_left_and_said(tmp_path):
    write_course(tmp_path, "A", None)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    (tmp_path / ".gitignore").write_text("notes/\nbuild/")
    name, config, ignored = write_course(tmp_path, "B", None)
    assert name == "course.toml says 'A', not 'B'; it is left as it is"
    assert config.startswith("nbgrader_config.py is not ours and is left as it is")
    assert "    configure(c, __file__)" in config
    assert ignored.startswith("added to .gitignore: .venv/, ")
    assert (tmp_path / "nbgrader_config.py").read_text() == "c = get_config()\n"
    assert (tmp_path / ".gitignore").read_text().startswith("notes/\nbuild/\n.venv/\n")


def test_no_course_is_made_inside_another(tmp_path):
    write_course(tmp_path, "A", None)
    with pytest.raises(UsageError, match=r"^this folder lies in the course 'A'"):
        write_course(tmp_path / "assignments", "B", None)


def test_our_own_course_has_this_configuration():
    assert (ROOT / "nbgrader_config.py").read_text().startswith(NBGRADER_CONFIG)
