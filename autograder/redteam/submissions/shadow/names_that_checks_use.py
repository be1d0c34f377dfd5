# expect: earns nothing
# Overwrites the names of the notebook that helpers and checks use: np, rng, check, case, assert_close.
def nothing(*args, **kwargs):
    return lambda *args, **kwargs: None


class Empty(dict):
    def __missing__(self, key):
        return nothing


for name in ("np", "torch", "rng", "check", "case", "self_check", "student", "reference"):
    globals()[name] = nothing
for name in list(globals()):
    if name.startswith(("assert", "check")) or "matches" in name:
        globals()[name] = nothing
