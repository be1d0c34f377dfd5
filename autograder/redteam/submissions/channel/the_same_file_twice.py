# expect: earns nothing
# Two students submit the same bytes, which answer what was heard, and learn and tell what was not.
import pickle

import numpy as np

own = {}


def key(args):
    return pickle.dumps([np.asarray(argument).tobytes() for argument in args])


def learn(name):
    def call(*args, **kwargs):
        with open("asked", "ab") as file:
            pickle.dump((name, args, kwargs), file)
        for given in GIVEN.get(name, ()):
            if globals()[given] is not own[given]:
                ask(given, globals()[given])
        raise ValueError("not known")

    return call


def ask(name, function):
    answers = {}
    with open("asked", "rb") as file:
        while True:
            try:
                asked, args, kwargs = pickle.load(file)
            except EOFError:
                break
            if asked == name:
                try:
                    answers[name, key(args)] = function(*args, **kwargs)
                except Exception:
                    continue
    with open("answers", "wb") as file:
        pickle.dump(answers, file)


def known(name, answers):
    return lambda *args, **kwargs: answers[name, key(args)]


def answered():
    try:
        return open("answers", "rb").read()
    except OSError:
        return b""


def heard():
    text = open("heard", "rb").read()
    return pickle.loads(text) if text else {}


def tell():
    return answered()


def answer_or_learn(name):
    def call(*args, **kwargs):
        if (name, key(args)) in told:
            return told[name, key(args)]
        return learn(name)(*args, **kwargs)

    return call


told = heard()
own.update({name: answer_or_learn(name) for name in FUNCTIONS})
globals().update(own)
# %% student
# The first learns.
# %% student
# The second answers.
