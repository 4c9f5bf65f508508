"""Tasks, where their results are kept, who computes them, and a bundle's cross-validation."""
