"""The training core: a frozen profile and a dataset become a run."""
