"""The parts of the Samples screen: what is asked for, what is there to choose from, the pictures of a folder."""
