# expect: earns nothing
# Answers with a list of one long text and many empty ones: as an array each would be as long.
answer = ["x" * 500_000] + [""] * 1000
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: answer
