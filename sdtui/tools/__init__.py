"""Work on finished model files."""
