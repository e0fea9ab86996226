"""A run on disk and how to reach it while it lives."""
