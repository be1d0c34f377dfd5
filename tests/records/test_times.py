from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.records.times import read_time

TEN = datetime(2026, 10, 1, 10)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-01 12:00:00.000000 +0200",
        "2026-10-01 12:00:00 +0200",
        "2026-10-01 12:00:00+02:00",
        "2026-10-01 12:00:00 +02",
        "2026-10-01 06:30:00 -0330",
        "2026-10-01 12:00:00 CEST",
        "2026-10-01 12:00:00.000000 CEST",
        "2026-10-01 12:00:00 Europe/Berlin",
        "2026-10-01 06:00:00 America/New_York",
        "2026-10-01 03:00:00 PDT",
        "2026-10-01 12:00:00 UTC+02:00",
        "2026-10-01 12:00:00 GMT+2",
        "2026-10-01 10:00:00 UTC",
        "2026-10-01 10:00:00 utc",
        "2026-10-01 10:00:00",
        "2026-10-01T10:00:00Z",
        "2026-10-01T12:00:00.000000+02:00",
        "20261001T100000Z",
        "Thu Oct  1 12:00:00 CEST 2026",
        "Thu, 01 Oct 2026 12:00:00 +0200",
        "\ufeff2026-10-01 10:00:00 UTC\r\n",
    ],
)
def test_a_time_is_read_in_every_form(text):
    assert read_time(text) == TEN


def test_a_fraction_of_a_second_is_kept():
    assert read_time("2026-10-01 12:00:00.123456 +0200") == TEN.replace(microsecond=123456)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-01 12:00:00 XYZ",
        "2026-10-01 12:00:00 IST",
        "2026-10-01 12:00:00 Nowhere/Land",
        "2026-10-01 12:00:00 ../../etc/localtime",
        "2026-10-01 12:00:00 Europe/\0",
        "2026-10-01 12:00:00 +9999",
        "0001-01-01 00:00:00 +0200",
        "2026-13-01",
        "12",
        "12:00",
        "yesterday",
        "",
        "9" * 90,
        "2026-10-01" + "x" * 200,
    ],
)
def test_what_is_no_time_or_of_a_zone_that_nobody_knows_is_none(text):
    assert read_time(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_time_or_none(text):
    read_time(text)
