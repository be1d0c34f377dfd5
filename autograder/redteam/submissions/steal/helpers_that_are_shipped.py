# expect: earns nothing
# Keeps the source of every helper that a check ships into the session, and tells it in every error.
import builtins

real, kept = builtins.compile, []


def compile_and_keep(source, *args, **kwargs):
    if isinstance(source, str) and "def " in source:
        kept.append(source)
    return real(source, *args, **kwargs)


builtins.compile = compile_and_keep


def tell(*args, **kwargs):
    raise LookupError("\n".join(kept)[-500:])


for name in NAMES:
    globals()[name] = tell
