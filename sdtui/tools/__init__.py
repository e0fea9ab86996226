"""Work on finished files: images from a model and its adapters."""
