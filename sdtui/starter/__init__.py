"""The embedded base model and images, and how they were made."""
