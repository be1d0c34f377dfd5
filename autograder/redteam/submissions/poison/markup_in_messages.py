# expect: earns nothing
# Raises errors whose text, type and place are markup with scripts.
EVIL = f"</pre><script id={MARK}>alert(1)</script><img src=x onerror='{MARK}'>{{{{ 7 * 7 }}}}"


def fail(*args, **kwargs):
    raise type(EVIL, (Exception,), {})(EVIL)


for name in NAMES:
    globals()[name] = fail
exec(compile("1 / 0", EVIL, "exec"))
