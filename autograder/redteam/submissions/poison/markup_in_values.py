# expect: earns nothing
# Answers with texts, keys and types that are markup: messages quote them.
import itertools

EVIL = f"<svg onload='{MARK}'></svg>"
ANSWERS = itertools.cycle([EVIL, {EVIL: EVIL}, type(EVIL, (), {})(), [EVIL]])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
