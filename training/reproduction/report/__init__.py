"""What a run found, as one HTML file: each of the paper's tables and figures beside ours.

    results.json, arrays.npz -> sections -> page -> report.html

A section is one experiment's part of the page: a function of that experiment's results, and absent
where they are. Nothing is computed here that is not in `results.json`; here it is only said.
"""
