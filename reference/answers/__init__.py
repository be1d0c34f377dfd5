"""Answer keys: what the written and multiple-choice questions ask for, by assignment."""
