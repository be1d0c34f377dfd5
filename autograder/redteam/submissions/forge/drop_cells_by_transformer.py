# expect: earns nothing
# An AST transformer empties every cell that runs after this one, and replaces asserts by nothing.
# %% first
import ast


class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

    def visit_Raise(self, node):
        return ast.Pass()

    def visit_FunctionDef(self, node):
        node.decorator_list = []
        return self.generic_visit(node)


get_ipython().ast_transformers.append(Drop())
