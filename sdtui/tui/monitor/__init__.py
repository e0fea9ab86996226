"""What the Monitor screen is made of: the thread that reads a run, the snapshot it hands over, and how it is worded."""
