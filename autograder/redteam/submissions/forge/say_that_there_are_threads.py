# expect: earns nothing
# The session's process says at every check that it has threads and cannot be forked.
from autograder.sandbox.inside import worker
from autograder.sandbox.protocol.kinds import Threads


def refuse(channel, *_):
    channel.receive_socket().close()
    channel.send(Threads())


worker._fork = refuse
