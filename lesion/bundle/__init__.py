"""The bundle: the one contract between training and service.

A folder of ONNX files and the manifest that describes them.
"""

#: Random numbers that a generator turns into a lesion (paper 3.2: z in R^100).
LATENT_SIZE = 100
