"""Images and captions on disk."""
