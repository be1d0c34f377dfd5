# expect: earns everything; says "SyntaxError"
# A cell behind right answers is no Python.
def broken(x)
    return x
