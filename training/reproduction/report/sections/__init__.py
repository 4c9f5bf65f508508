"""The report's sections: each is a function of one analysis's part of `results.json`.

Every section sets the paper's figures beside ours and says what the two can be compared by.
"""
