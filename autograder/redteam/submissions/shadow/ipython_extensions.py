# expect: earns nothing
# Hooks into the shell: before and after each cell, around input, and by the name of each cell.
# %% first
shell = get_ipython()
for event in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
    shell.events.register(event, lambda *args: globals().update(passed=True))
shell.input_transformers_cleanup.append(lambda lines: [line.replace("raise", "pass #") for line in lines])
shell.compile.get_code_name = lambda *args: "passed"
shell.user_ns["self_check"] = lambda check: True
shell.user_global_ns["check"] = lambda *args, **kwargs: lambda function: function
