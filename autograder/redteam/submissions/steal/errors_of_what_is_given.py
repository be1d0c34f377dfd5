# expect: earns nothing
# Calls what it is given with arguments that it cannot take, and tells the errors: they quote the source.
def tell(*args, **kwargs):
    texts = []
    for name in NAMES:
        function = globals()[name]
        if callable(function) and function is not tell:
            for arguments in ((), (None,), ("x",), (b"x" * 100,), ([],), ({"a": 1},)):
                try:
                    function(*arguments)
                except Exception as error:
                    texts.append(f"{error!r} {error.__traceback__.tb_frame.f_code.co_filename}")
    raise LookupError("\n".join(texts)[:500])


for name in NAMES:
    globals()[name] = tell
