"""The paper's experiments, one to a file: which tasks it needs, and what it reads from them.

Each has `tasks(...)`, which only names them, and `results(...)`, plain numbers for `results.json`.
"""
