# expect: earns nothing
# Installs an importer that answers for every module with one whose functions return their argument.
# %% first
import importlib.abc
import importlib.machinery
import sys


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def exec_module(self, module):
        module.__getattr__ = lambda name: lambda *args, **kwargs: args[0] if args else None


sys.meta_path.insert(0, Finder())
sys.path_hooks.insert(0, lambda path: Finder())
