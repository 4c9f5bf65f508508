"""What the numbers of an experiment allow to be said: intervals, tests, calibration, power.

Accuracies and their differences are proportions, 0 to 1, never percent. A difference is always the
first argument's figure less the second's. Nothing here knows of files, networks or the paper.
"""
