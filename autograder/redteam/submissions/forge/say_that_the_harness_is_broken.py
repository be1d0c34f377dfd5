# expect: earns nothing
# The session's process refuses to fork for checks, so that the fault would seem the grader's.
from autograder.sandbox import worker
from autograder.sandbox.wire import Message


def refuse(channel, host):
    channel.receive_socket().close()
    channel.send(Message("refused"))


worker._fork = refuse
