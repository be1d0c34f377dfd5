import json
import sys
import unicodedata

import pytest

from autograder.visible import json_text, visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ada", "ada"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("c1\x9b31m\x85", r"c1\x9b31m\x85"),
        ("bidi\u202etxt\u2066\u200f", r"bidi\u202etxt\u2066\u200f"),
        ("a\nb\tc\rd\0", r"a\nb\tc\rd\x00"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("half \udcff", r"half \udcff"),
        ("Zoë 名 e\u0301 [b] :x: %s{0}", "Zoë 名 e\u0301 [b] :x: %s{0}"),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
    ],
)
def test_what_steers_is_written_as_in_python_and_all_else_is_itself(text, shown):
    assert visible(text) == shown


def test_no_character_that_unicode_calls_control_or_format_is_itself():
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    every = map(chr, range(sys.maxunicode + 1))
    steering = [c for c in every if unicodedata.category(c) in kinds and c not in "\u200c\u200d"]
    assert [c for c in steering if not visible(c).isascii() or not visible(c).isprintable()] == []


def test_names_that_differ_look_different():
    names = ["red", "\x1b[31mred", "red\u202e", "red\n", "red\x9b"]
    assert len({visible(name) for name in names}) == len(names)


@pytest.mark.parametrize("text", ["x" * 21, "\x1b" * 10, "x" * 10_000_000])
def test_a_long_text_is_cut_to_its_limit(text):
    assert len(visible(text, 20)) <= 20
    assert visible(text, 20).endswith("…")
    assert visible("x" * 20, 20) == "x" * 20


def test_lines_stay_lines():
    assert visible_lines("one\ntwo\x1b\n\tthree") == "one\ntwo\\x1b\n\\tthree"


def test_json_is_plain_ascii_and_means_the_same():
    value = [{"student": "Zoë\x1b[31m\x9b\u202e\x7f\n"}]
    text = json_text(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
