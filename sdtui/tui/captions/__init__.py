"""What the Captions screen is made of: the dataset behind it, list and search, marks, writing, and their words."""
