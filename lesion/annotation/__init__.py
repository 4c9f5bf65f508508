"""DICOM annotations become outlines here: each reader checks that the annotation is of the slices.

`read` tells which kind of object it is, `seg`, `rtstruct` and `sr` read one kind each, `marked` is
what they all give, `contours` makes outlines of closed contours. `slices` finds the slices that
something is of, `effort` bounds what all of it may take.
"""
