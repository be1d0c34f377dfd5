# expect: earns nothing; timed_out
# The notebook's process never answers when the grader asks it to fork for a check.
import threading

from autograder.sandbox.inside import worker

worker._fork = lambda *_: threading.Event().wait()
