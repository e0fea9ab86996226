"""Base models: one module per family."""
