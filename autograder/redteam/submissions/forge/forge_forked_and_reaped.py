# expect: earns nothing
# The session's process says that it forked, ran and reaped, and answers every call itself.
import gc

from autograder.sandbox.protocol import kinds as protocol
from autograder.sandbox.inside import worker
from autograder.sandbox.protocol.channel import Channel

real = Channel.receive


def receive(self, deadline=None):
    while True:
        request = real(self, deadline)
        if isinstance(request, protocol.Fork):
            self.receive_socket()
            self.send(protocol.Forked())
        elif isinstance(request, protocol.Reap):
            self.send(protocol.Reaped())
        elif isinstance(request, protocol.Run):
            return request
        else:
            self.send(protocol.Value(True))


Channel.receive = receive
worker._fork = lambda channel, *_: channel.send(protocol.Forked())
