"""The networks of the paper and of what later work found for small data, and their training."""
