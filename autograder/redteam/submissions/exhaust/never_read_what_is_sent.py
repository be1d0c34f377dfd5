# expect: earns nothing; timed_out
# Answers the first question and then neither reads nor writes.
import threading

from autograder.sandbox.inside import host

real, asked = host.Host.handle, []


def handle(self, request, ask):
    asked.append(request)
    if len(asked) > 1:
        threading.Event().wait()
    return real(self, request, ask)


host.Host.handle = handle
