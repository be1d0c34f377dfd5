"""The commands, by what they are about: each declares its options beside its function."""
