# expect: earns nothing
# The session's process refuses to fork for checks, so that the fault would seem the grader's.
from autograder.sandbox.inside import worker
from autograder.sandbox.protocol.kinds import Refused


def refuse(channel, *_):
    channel.receive_socket().close()
    channel.send(Refused())


worker._fork = refuse
