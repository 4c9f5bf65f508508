"""The bundle: the one contract between training and service.

A folder of ONNX files and the manifest that describes them.
"""
