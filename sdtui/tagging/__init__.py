"""Score store, threshold rules and taggers."""
