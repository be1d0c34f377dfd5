# expect: earns everything but FIRST; timed_out
# One function raises an error whose text never ends.
class Error(Exception):
    def __str__(self):
        while True:
            pass


def fail(*args, **kwargs):
    raise Error


globals()[FIRST] = fail
