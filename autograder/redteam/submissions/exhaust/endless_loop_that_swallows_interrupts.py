# expect: earns everything but FIRST; timed_out
# One function loops for ever and swallows every exception.
def loop(*args, **kwargs):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


globals()[FIRST] = loop
