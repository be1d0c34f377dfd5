"""Letters of what applies, read from an answer as students write it."""


def letters_of(answer):
    """Return the letters of an answer in order, or nothing if it is no text or list of letters."""
    if isinstance(answer, (list, tuple)) and all(
        isinstance(item, str) and len(item.strip()) == 1 for item in answer
    ):
        answer = "".join(answer)
    return "".join(sorted(set(answer.upper()) - set(" ,;"))) if isinstance(answer, str) else ""
