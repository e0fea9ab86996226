"""What is measured against a peer or a floor, in the same run: `python -m benchmarks [NAME…]` prints ratios and the machine."""
