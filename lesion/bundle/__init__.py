"""The bundle: the one contract between training and service.

A folder of ONNX files and the manifest that describes them.
"""

#: Random numbers that a generator turns into a lesion (paper 3.2: z in R^100).
LATENT_SIZE = 100

#: What a bundle, and so its folder, may be called: it stands in metrics and in file names.
NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
