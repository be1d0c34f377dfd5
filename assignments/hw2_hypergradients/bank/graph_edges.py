from autograder import alternative, mistake


def steps_with(parents, steps, last=None):
    """Return edges with some parents of each w, and of each g the weights of the same number."""
    edges = []
    for k in range(steps):
        names = {"e": "eta", "w": f"w{k}", "g": f"g{k}", "0": "w0"}
        edges += [(f"w{k}", f"g{k}"), *((names[p], f"w{k + 1}") for p in parents)]
    return [*edges, last or (f"w{steps}", f"L{steps}")]


@mistake("the old weights are forgotten: a step adds to them, and that is how derivatives survive")
def _(steps):
    return steps_with("eg", steps)


@mistake("the gradients are forgotten in the steps")
def _(steps):
    return steps_with("ew", steps)


@mistake("the learning rate is in no step")
def _(steps):
    return steps_with("wg", steps)


@mistake("the learning rate acts in the first step only; all steps share it")
def _(steps):
    return [e for e in steps_with("ewg", steps) if e[0] != "eta" or e[1] == "w1"]


@mistake("the learning rate acts in the last step only; all steps share it")
def _(steps):
    return [e for e in steps_with("ewg", steps) if e[0] != "eta" or e[1] == f"w{steps}"]


@mistake("all edges turned around")
def _(steps):
    return [(b, a) for a, b in steps_with("ewg", steps)]


@mistake("each gradient is computed at the weights after the step, not at those before it")
def _(steps):
    return [
        (f"w{int(b[1:]) + 1}", b) if b[0] == "g" else (a, b) for a, b in steps_with("ewg", steps)
    ]


@mistake("all gradients are those at the first weights")
def _(steps):
    return [("w0", b) if b[0] == "g" else (a, b) for a, b in steps_with("ewg", steps)]


@mistake("indirect dependences too: only what is computed directly counts")
def _(steps):
    early = [(f"w{j}", f"w{k}") for k in range(2, steps + 1) for j in range(k - 1)]
    return [*steps_with("ewg", steps), *early, ("eta", f"L{steps}")]


@mistake("the learning rate enters the steps, not the gradients")
def _(steps):
    return [*steps_with("ewg", steps), *(("eta", f"g{k}") for k in range(steps))]


@mistake("the loss is that before the last step")
def _(steps):
    return steps_with("ewg", steps, (f"w{steps - 1}", f"L{steps}"))


@mistake("the loss at the end is missing")
def _(steps):
    return steps_with("ewg", steps)[:-1]


@mistake("the last loss is computed from a gradient, which nobody needs")
def _(steps):
    return [*steps_with("ewg", steps), (f"w{steps}", f"g{steps}"), (f"g{steps}", f"L{steps}")]


@mistake("two steps, however many are asked for")
def _(steps):
    return steps_with("ewg", 2)


@mistake("one step too many")
def _(steps):
    return steps_with("ewg", steps + 1)


@alternative("written down node by node, backwards, as lists")
def _(steps):
    found = [[f"w{steps}", f"L{steps}"]]
    for k in range(steps, 0, -1):
        found.append([f"w{k - 1}", f"w{k}"])
        found.append([f"g{k - 1}", f"w{k}"])
        found.append(["eta", f"w{k}"])
        found.append([f"w{k - 1}", f"g{k - 1}"])
    return found


@alternative("from a table of parents, some edges twice")
def _(steps):
    parents = {f"L{steps}": (f"w{steps}",)}
    for k in range(steps):
        parents |= {f"g{k}": (f"w{k}",), f"w{k + 1}": ("eta", f"g{k}", f"w{k}")}
    pairs = [(parent, child) for child, many in parents.items() for parent in many]
    return tuple(pairs + pairs[:2])
