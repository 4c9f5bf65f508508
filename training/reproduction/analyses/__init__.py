"""The analyses: of each table or figure its tasks, its results and its sections of the report.

A new one is a module with an `ANALYSIS` here, a section in `training.reproduction.report.sections`,
and a line in `catalogue`.
"""
