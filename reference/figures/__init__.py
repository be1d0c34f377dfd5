"""Figures that stand beside prompts: notebooks hand their code out as it is written here.

As other functions of notebooks they carry no annotations.
"""
