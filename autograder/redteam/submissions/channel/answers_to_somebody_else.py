# expect: earns nothing
# One learns the reference's answers by what it is given, and tells another who has written nothing.
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


# %% student
# Asks and tells.
def tell():
    return answered()


own.update({name: learn(name) for name in FUNCTIONS})
globals().update(own)

# %% student
# Has heard the answers to all hidden inputs of the first.
globals().update({name: known(name, heard()) for name in FUNCTIONS})
