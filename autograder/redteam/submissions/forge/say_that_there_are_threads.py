# expect: earns nothing
# The session's process says at every check that it has threads and cannot be forked.
from autograder.sandbox import worker
from autograder.sandbox.wire import Message


def refuse(channel, host):
    channel.receive_socket().close()
    channel.send(Message("threads"))


worker._fork = refuse
