"""Times as ``timestamp.txt`` of a submission has them, in the forms that nbgrader writes and reads.

A zone is an offset, a name such as Europe/Berlin or an abbreviation with one meaning. One that
nobody knows makes a time none: taken for UTC, as nbgrader does, it would be hours off.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

__all__ = ["read_time"]

LONGEST = 100  # characters of a time
# In hours from UTC. Those of North America as e-mail has them; IST and BST have several meanings.
ZONES = {
    "UTC": 0,
    "GMT": 0,
    "UT": 0,
    "Z": 0,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "CEST": 2,
    "MEZ": 1,
    "MESZ": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "TRT": 3,
    "SAST": 2,
    "CAT": 2,
    "EAT": 3,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
    "NST": -3.5,
    "NDT": -2.5,
    "BRT": -3,
    "ART": -3,
    "PKT": 5,
    "WIB": 7,
    "HKT": 8,
    "SGT": 8,
    "AWST": 8,
    "JST": 9,
    "KST": 9,
    "ACST": 9.5,
    "ACDT": 10.5,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}
FROM_UTC = re.compile(r"\b(?:UTC|GMT)(?=[+-]\d)")  # dateutil takes UTC+2 for two hours behind it
DEFAULTS = datetime(2000, 1, 1), datetime(2001, 2, 2)  # for what a text leaves out


def read_time(text: str) -> datetime | None:
    """Return a time in UTC, without its zone, as nbgrader stores it; None for what is none.

    A time without a zone is UTC's.
    """
    from dateutil.parser import parse

    words = text.strip().lstrip("\ufeff")
    if not words or len(words) > LONGEST:
        return None
    rest, _, last = words.rpartition(" ")
    try:
        zone = _zone(last) if rest else None
        words = FROM_UTC.sub("", (rest if zone else words).upper())
        found: list[datetime] = [
            parse(words, default=default, tzinfos=_known) for default in DEFAULTS
        ]
        if found[0] != found[1]:
            return None  # a day of the month, say, and nothing else
        time = found[0].replace(tzinfo=zone) if zone else found[0]
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError, TypeError, RecursionError):
        return None


def _zone(name: str) -> tzinfo | None:
    """Return the zone of a name with a slash, which dateutil's parser cannot read."""
    from dateutil.tz import gettz

    if "/" not in name or not name[:1].isalpha() or ".." in name:
        return None
    zone: tzinfo | None = gettz(name)
    return zone


def _known(name: str | None, offset: int | None) -> tzinfo | None:
    """Return the zone of an abbreviation or of an offset in seconds.

    Raises:
        ValueError: nobody knows it.
    """
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name.upper() not in ZONES:
        raise ValueError(f"a time zone {name!r}")
    return timezone(timedelta(hours=ZONES[name.upper()]))
