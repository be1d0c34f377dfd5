# expect: earns nothing
# Puts a package autograder of its own into sys.modules, whose checks all pass.
import sys
import types


class Everything(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        return lambda *args, **kwargs: lambda function: function


for name in [name for name in sys.modules if name.split(".")[0] == "autograder"]:
    sys.modules[name] = Everything(name)
sys.modules["autograder"] = Everything("autograder")
sys.modules["reference"] = sys.modules["__main__"]
