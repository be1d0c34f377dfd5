import textwrap

import pytest

from autograder.errors import SourceError


def same(got: str, want: str) -> bool:
    return got == textwrap.dedent(want).strip("\n")


def test_a_function_keeps_its_signature_and_docstring_as_they_are_written(stub_of):
    got = stub_of(
        '''
        def step(
            w: "float",  # weights
            *, lr: float = 0.1,
        ) -> "dict[str, int]":  # a comment of the solution
            """Step.

                Indented: "quotes".
            """
            # a comment of the solution
            return w - lr
        ''',
        "step",
    )
    assert same(
        got,
        '''
        def step(
            w: "float",  # weights
            *, lr: float = 0.1,
        ) -> "dict[str, int]":
            """Step.

                Indented: "quotes".
            """
            raise NotImplementedError("step: your turn")
        ''',
    )


def test_a_function_on_one_line_loses_its_body(stub_of):
    got = stub_of("def f(x, key=lambda a: a): return {x: 1}\n", "f")
    assert same(
        got,
        """
        def f(x, key=lambda a: a):
            raise NotImplementedError("f: your turn")
        """,
    )


def test_nested_functions_and_decorators_go_with_the_body(stub_of):
    got = stub_of(
        """
        import functools

        @functools.lru_cache
        def f(x):
            def inner(y):
                return y
            return inner(x)
            # a trailing comment
        """,
        "f",
    )
    assert same(
        got,
        """
        def f(x):
            raise NotImplementedError("f: your turn")
        """,
    )


def test_a_class_keeps_bases_fields_docstrings_and_the_decorators_that_change_a_call(stub_of):
    got = stub_of(
        '''
        from dataclasses import dataclass
        from functools import lru_cache

        @dataclass
        class Net(dict):
            """A net."""

            width: int = 3
            secret = 42

            @property
            def size(self):
                """Size."""
                return 17

            @size.setter
            def size(self, value):
                pass

            @staticmethod
            @lru_cache
            def helper(x): return 1
        ''',
        "Net",
    )
    assert same(
        got,
        '''
        from dataclasses import dataclass


        @dataclass
        class Net(dict):
            """A net."""

            width: int = 3

            @property
            def size(self):
                """Size."""
                raise NotImplementedError("Net.size: your turn")

            @size.setter
            def size(self, value):
                raise NotImplementedError("Net.size: your turn")

            @staticmethod
            def helper(x):
                raise NotImplementedError("Net.helper: your turn")
        ''',
    )


def test_a_class_of_nothing_but_values_stays_a_class(stub_of):
    assert stub_of("class Empty:\n    x = 1\n", "Empty") == "class Empty:\n    ..."


def test_regions_in_the_reference_keep_the_scaffolding_around_them(stub_of):
    got = stub_of(
        '''
        import functools

        class Net:
            scale = 2

            def given(self):
                return self.scale

            @functools.lru_cache
            def todo(self, x):
                """Do."""
                y = x  # kept
                # survives: for whatever reason
                # kept too
                if x:  # survives: likewise
                    ### BEGIN SOLUTION
                    y = 5  # cut
                    ### END SOLUTION
                return y

            def last(self):
                ### BEGIN SOLUTION
                return 7
                ### END SOLUTION
        ''',
        "Net",
    )
    assert same(
        got,
        '''
        import functools


        class Net:
            scale = 2

            def given(self):
                return self.scale

            @functools.lru_cache
            def todo(self, x):
                """Do."""
                y = x  # kept
                # kept too
                if x:
                    raise NotImplementedError("Net.todo: your turn")
                return y

            def last(self):
                raise NotImplementedError("Net.last: your turn")
        ''',
    )


def test_a_constant_keeps_the_comment_directly_above_it(stub_of):
    got = stub_of(
        """
        # far away

        # Which one?
        #   A  this
        choice: str = "A"

        other = (
            1
        )
        """,
        "choice, other",
    )
    assert same(
        got,
        """
        # Which one?
        #   A  this
        choice: str = ...  # your answer
        other = ...  # your answer
        """,
    )


def test_several_names_of_one_cell_get_a_stub_each(stub_of):
    got = stub_of("def f(x):\n    return 1\n\ndef g(x):\n    return 2\n", "g, f")
    assert got.count("raise NotImplementedError") == 2
    assert got.index("def g") < got.index("def f")


def test_a_stub_brings_the_imports_that_its_signature_needs(stub_of):
    got = stub_of(
        "import math\nimport numpy as np\nfrom numpy.typing import NDArray\n\n"
        "def f(x: NDArray, y: np.ndarray = None):\n    return math.pi\n",
        "f",
    )
    assert got.split("\n\n\n")[0] == "from numpy.typing import NDArray"  # np is given already


def test_annotations_that_are_not_evaluated_stay_so(stub_of):
    got = stub_of(
        "from __future__ import annotations\n\nclass A:\n"
        "    def twin(self) -> A:\n        return self\n",
        "A",
    )
    assert got.startswith("from __future__ import annotations\n\n\nclass A:")
    exec(got, {})


def test_the_other_lines_of_a_solution_cell_are_given(workshop):
    cell = """
        # %%
        lr = 0.1
        from reference.own import f
        print(lr)
    """
    workshop.reference(**{"own.py": "def f(x):\n    return 1\n"})
    assert same(
        workshop.compile(cell).release["solution_f"],
        """
        lr = 0.1


        def f(x):
            raise NotImplementedError("f: your turn")


        print(lr)
        """,
    )


def test_regions_in_a_cell_become_answers_to_fill_in_or_raise(workshop):
    compiled = workshop.compile(
        """
        # %%
        # How many?
        ### BEGIN SOLUTION
        _half = 2
        answer = 2 * _half
        other: int = 5
        ### END SOLUTION
        """,
        """
        # %%
        def triple(x):
            ### BEGIN SOLUTION
            return 3 * x
            ### END SOLUTION
        """,
    )
    assert same(
        compiled.release["solution_answer"],
        """
        # How many?
        answer = ...  # your answer
        other = ...  # your answer
        """,
    )
    assert same(
        compiled.release["solution_triple"],
        """
        def triple(x):
            raise NotImplementedError("your turn")
        """,
    )
    assert "SOLUTION" not in compiled.solution["solution_triple"]
    assert compiled.solution["solution_answer"].endswith("answer = 2 * _half\nother: int = 5")


def test_a_stub_that_could_not_run_in_the_release_is_refused(workshop):
    workshop.reference(**{"own.py": "EPS = 1\n\ndef f(x, eps=EPS):\n    return x\n"})
    with pytest.raises(SourceError) as error:
        workshop.compile("# %%\nfrom reference.own import f")
    assert str(error.value) == (
        "assignments/hw/hw.py, cell 4: the stub of 'f' needs 'EPS' of reference/own.py, which the"
        " release lacks; define it in a given cell, or write its value into the signature"
    )


def test_a_name_that_a_stub_needs_may_be_given(workshop):
    workshop.reference(**{"own.py": "EPS = 1\n\ndef f(x, eps=EPS):\n    return x\n"})
    compiled = workshop.compile("# %%\nEPS = 2", "# %%\nfrom reference.own import f")
    assert compiled.release["solution_f"].startswith("def f(x, eps=EPS):")
