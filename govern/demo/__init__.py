"""The demonstration: a real data set shipped in the package (DATA.md) and a small model trained on it."""
