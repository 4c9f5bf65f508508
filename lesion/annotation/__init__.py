"""DICOM annotations become lesions here: each reader checks that the annotation is of the slices.

`lesions` is where one becomes lesions: anatomy is skipped, told by `kind`. `read` tells which kind
of object it is, `seg`, `rtstruct` and `sr` read one kind each, `marked` is what they all give,
`structure` what the annotation says of it, `contours` makes outlines of closed contours. `slices`
finds the slices that something is of, `effort` bounds what all of it may take.
"""
