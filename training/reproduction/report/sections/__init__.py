"""The report's chapters: each is a function of one experiment's part of `results.json`.

Every chapter sets the paper's figures beside ours and says what the two can be compared by.
"""
