"""Plain texts are those that the tokens of Python give, and take a third of the time."""

import ast
import re
from pathlib import Path

import pytest

from autograder.audit import plain as module
from autograder.audit.plain import plain
from tests.each import require_each

PACKAGE = Path(module.__file__).parents[1]
ODD = (
    "x = '#'  # a 'comment' with \"quotes\n",
    "x = \"it's\"  # it's\ny = 1",
    "x = 'a\\'  # no comment'  # one\n",
    'x = """a\n  # no comment\n\n"""  # one\n\n\ny = 2\n',
    "x = '''a \\''' # no comment\n'''\n",
    "x = r'\\'  '# none'  # one\n",
    "x = rb'''a\n#'''; y = f'{x}#'  # one\n",
    "x = 'a' \\\n    'b'  # one\n",
    "x = 'a \\\n  # no comment'  # one\n",
    "x = ''  # one\ny = ''''''  # one\nz = ''' '' '''  # one\n",
    "def f():\n    'of f'  # one\n\n    '''no docstring\n\n    '''\n",
    "def f(): 'of f'  # one\n",
    "'of the module'\n\n# one\n",
    "x = 1\r\n# one\r\ny = 2  # two\r\n",
    "def f():\n    ### BEGIN SOLUTION\n    return 1  # one\n    ### END SOLUTION\n",
    "é = 'é#'  # é\n",
    "\f# one\nx = 1\n",
    "",
)


def test_texts_are_plain_as_their_tokens_say(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((PACKAGE / "authoring").glob("*.py"))
    texts = [*ODD, *(path.read_text(encoding="utf-8") for path in files)]
    found = [plain.__wrapped__(text) for text in texts]
    monkeypatch.setattr(module, "_MAY_NEST", re.compile(""))  # which asks for tokens everywhere

    def holds(text: str, by_pieces: str) -> None:
        assert by_pieces == plain.__wrapped__(text)

    require_each(zip(texts, found, strict=True), holds)


def test_quotes_within_quotes_are_left_to_the_tokens() -> None:
    """Of a Python that has them: an older one refuses the text."""
    nested = "x = f'{a['b # c']}'  # one\n"
    try:
        ast.parse(nested)
    except SyntaxError:
        with pytest.raises(SyntaxError):
            plain(nested)
    else:
        assert plain(nested) == "x = f'{a['b # c']}'"


def test_what_is_no_python_is_a_syntax_error() -> None:
    for text in ("%cd it's", "x = 'a", "x = '''a", "def f(:"):
        with pytest.raises(SyntaxError):
            plain(text)
