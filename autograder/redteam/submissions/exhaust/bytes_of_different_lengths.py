# expect: earns nothing
# Answers with a list of one long string of bytes and many empty ones, in lists and in lists of lists.
answer = [[b"x" * 900_000] + [b""] * 1500]
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: answer
