"""DICOM annotations of a slice become outlines here.

`seg` reads a binary Segmentation. RT Structure Sets and SR measurement groups belong beside it.
"""
