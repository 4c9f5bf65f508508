"""The paper's experiments, one to a file: which cells it needs, and what it reads from them.

Each has `cells(...)`, which only names them, and `results(...)`, plain numbers for `results.json`.
"""
