"""The domain: what a lesion image is, for training and for service alike.

Data flows one way: bytes -> `lesion.image` -> `CTSlice` -> `Outline` -> `lesion.roi.cut` -> a 64x64
patch in HU. A network only ever sees what `lesion.roi.cut` returns, so training and service cannot
drift apart. Nothing here knows of torch, BentoML or HTTP.
"""

__version__ = "0.1.0"
