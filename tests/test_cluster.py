import pytest

from autograder.cluster import Cluster, Slurm
from autograder.course import find_course
from autograder.errors import UsageError
from tests.each import require_each


def test_the_tables_of_course_toml_say_where_the_cluster_is(tmp_path):
    (tmp_path / "course.toml").write_text(
        '[cluster]\nscheduler = "tls://g:8786"\ntls_key = "tls/key.pem"\npatience_minutes = 3\n'
        '[slurm]\njobs = 4\nprologue = ["module load python"]\n'
    )
    found = find_course(tmp_path).cluster
    assert found == Cluster(
        "tls://g:8786",
        tls_key="tls/key.pem",
        patience_minutes=3,
        slurm=Slurm(4, prologue=("module load python",)),
    )
    assert found.within(tmp_path).tls_key == str(tmp_path / "tls" / "key.pem")
    assert found.within(tmp_path).tls_ca == ""


def test_a_course_without_them_has_no_cluster(tmp_path):
    (tmp_path / "course.toml").write_text("")
    assert find_course(tmp_path).cluster == Cluster()


def test_what_is_wrong_in_them_is_said_with_its_place():
    def is_refused(cluster, slurm, words):
        with pytest.raises(UsageError, match=words):
            Cluster.from_tables(cluster, slurm)

    cases = (
        ({"schedular": "x"}, {}, "a key of cluster must be one of scheduler, .* got 'schedular'"),
        ({"insecure": True}, {}, "a key of cluster"),  # a trial is no habit
        ({"scheduler": 5}, {}, "cluster.scheduler must be a text"),
        ({"scheduler": ""}, {}, "cluster.scheduler must be a text"),
        ({"patience_minutes": 0}, {}, "cluster.patience_minutes must be a number above 0"),
        ({"patience_minutes": True}, {}, "cluster.patience_minutes must be a number above 0"),
        ({}, {"queue": "gpu"}, "slurm must have jobs"),
        ({}, {"jobs": 0}, "slurm.jobs must be a whole number from 1 up"),
        ({}, {"jobs": 1, "gpus": -1}, "slurm.gpus must be a whole number from 0 up"),
        ({}, {"jobs": 1, "directives": "--x"}, "slurm.directives must be a list of texts"),
        ({}, {"jobs": 1, "directives": [1]}, "slurm.directives must be a list of texts"),
    )
    require_each(cases, is_refused)
