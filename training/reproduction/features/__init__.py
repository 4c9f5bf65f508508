"""Texture features of a patch: numbers that need no training and see one patch at a time.

`haralick` counts pairs of grey levels, `gabor` filters by scale and orientation. Both take patches
in HU and clip them to the window of the networks.
"""
