"""Base models: one module per family (`sd1`), each loading a pipeline folder into the `Model` the rest works with."""
