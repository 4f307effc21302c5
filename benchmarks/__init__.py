"""What aitop costs, measured beside the floor of the same machine in the same minutes; see `python -m benchmarks`."""
