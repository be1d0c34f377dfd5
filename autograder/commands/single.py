"""The command that grades one submission without a class: in a container, or in a student's CI."""

import json
import os
import sys
from pathlib import Path

from autograder.commands.command import (
    ATTENTION,
    DONE,
    Command,
    Options,
    Parser,
    add_require_secret,
    say,
    write_exported,
)
from autograder.course import told_files
from autograder.errors import UsageError
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Exported, Wanted
from autograder.sandbox.protocol.settings import Isolation

__all__ = ["GRADE_ONE"]

FORMS = ("gradescope", "junit", "json", "markdown", "annotations")
METADATA = Path("/autograder/submission_metadata.json")  # where Gradescope puts it
NOBODY = "student"
STRONGEST = Isolation.NAMESPACES


def _add_grade_one(parser: Parser) -> None:
    parser.add_argument("notebook", type=Path, help="the notebook, or the folder that holds it")
    parser.add_argument("--bundle", type=Path, required=True, help="build/NAME/NAME.bundle")
    parser.add_argument(
        "--to",
        choices=FORMS,
        action="append",
        default=[],
        help="repeatable; default: feedback as text",
    )
    parser.add_argument(
        "--out", type=Path, help="where to write it, a folder for several; default: it is printed"
    )
    parser.add_argument("--student", help=f"whose it is; default: who is in the metadata, {NOBODY}")
    parser.add_argument(
        "--metadata", type=Path, help=f"what Gradescope says of it; default: {METADATA}"
    )
    add_require_secret(parser)


def _grade_one(options: Options) -> int:
    from autograder.engines.alone import grade_alone
    from autograder.records.public import feedback_text
    from autograder.records.roster import Roster

    if not os.path.lexists(options.notebook):
        raise UsageError(f"there is no {options.notebook}{told_files(options.notebook.parent)}")
    student = options.student or _submitter(options.metadata)
    secret = options.require_secret
    alone = grade_alone(options.bundle, options.notebook, student, require_secret=secret)
    text = feedback_text(alone.manifest.title, alone.grade)
    exported = Exported({"feedback.txt": text.encode()})
    if options.to:
        classes = [(alone.manifest, {student: alone.grade})]
        notebooks = {(alone.manifest.assignment, student): alone.notebook}
        wanted = Wanted(classes, Roster(), notebooks=notebooks)
        forms = [EXPORTERS[form].export(wanted).alone() for form in options.to]
        exported = Exported({name: data for one in forms for name, data in one.files.items()})
    write_exported(exported, options.out)
    if alone.demo_secret:
        print(
            "Hidden inputs come from the demo secret, which everybody knows; for a real class set "
            "AUTOGRADER_SECRET_FILE.",
            file=sys.stderr,
        )
    if alone.isolation is not None and alone.isolation is not STRONGEST:
        print(
            f"The code ran in a weaker sandbox, isolation level {alone.isolation}: see "
            "docs/security.md.",
            file=sys.stderr,
        )
    if options.out is not None:
        say(f"wrote {options.out}")
    return ATTENTION if alone.grade.status == "needs_attention" else DONE


GRADE_ONE = Command(
    "grade-one",
    help="grade one notebook without a class: in Gradescope's container, or in a student's CI",
    example="autograder grade-one --bundle hw1_optimizers.bundle hw1_optimizers.ipynb",
    run=_grade_one,
    add_options=_add_grade_one,
)


def _submitter(metadata: Path | None) -> str:
    """Return who submitted, as Gradescope's metadata says; several are one group."""
    path = metadata or METADATA
    if metadata is None and not path.is_file():
        return NOBODY
    try:
        users = json.loads(path.read_bytes())["users"]
        names = sorted(str(user["email"]) for user in users)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, LookupError):
        raise UsageError(f"{path} is no metadata of Gradescope: it names no users") from None
    return ",".join(names) or NOBODY
