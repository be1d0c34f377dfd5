# expect: earns nothing
# Hides every traceback and error of the notebook.
# %% first
shell = get_ipython()
shell.showtraceback = shell.showsyntaxerror = lambda *args, **kwargs: None
shell.set_custom_exc((BaseException,), lambda *args, **kwargs: None)
shell._showtraceback = shell.showtraceback
