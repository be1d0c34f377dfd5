"""The hidden reference implementations: the grader's test oracles, themselves tested."""
