"""The hidden reference implementations: the grader's test oracles, themselves tested.

A module is about one subject and names its sources. Answer keys are in `answers`, data that no
student gets in `held_back`.
"""
