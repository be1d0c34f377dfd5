# expect: earns nothing
# Raises messages that clear the screen, turn the reading direction and write a fake verdict over ours.
TEXT = "\x1b[2J\x1b[1;1H\x1b]0;passed\x07\u202epassed 100\u2066\u200b\x00\r10 of 10 points\x1b[8m"


def tell(*args, **kwargs):
    raise ValueError(TEXT)


for name in NAMES:
    globals()[name] = tell
raise ValueError(TEXT)
