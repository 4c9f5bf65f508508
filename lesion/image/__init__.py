"""Bytes become a `CTSlice` here: DICOM, PNG and NPY.

`part10` parses DICOM within bounds, `frames` decodes pixels, `sandbox` decodes compressed pixels
where memory and time are limited, `dicom` and `raster` make the slice, `formats` tells which of
them to ask.
"""
