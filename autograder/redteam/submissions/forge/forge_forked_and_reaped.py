# expect: earns nothing
# The session's process says that it forked, ran and reaped, and answers every call itself.
import gc

from autograder.sandbox import worker
from autograder.sandbox.channel import Channel
from autograder.sandbox.wire import Message

real = Channel.receive


def receive(self, deadline=None):
    while True:
        request = real(self, deadline)
        if request.kind in ("fork", "reap"):
            if request.kind == "fork":
                self.receive_socket()
            self.send(Message({"fork": "forked", "reap": "reaped"}[request.kind]))
        elif request.kind in ("get", "call", "apply", "attribute", "seed"):
            self.send(Message("value", values=[True]))
        else:
            return request


Channel.receive = receive
worker._fork = lambda channel, host: channel.send(Message("forked"))
