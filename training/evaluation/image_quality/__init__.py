"""How good synthetic images are, measured per class in feature spaces that need no download.

Every function takes plain arrays and looks at one question:

    space.py         raw features to a space where distances mean something
    kernel.py        how far apart two sets are as a whole (KID)
    manifold.py      how real they look (precision, density), how much they cover (recall, coverage)
    diversity.py     what they cover and how they vary, beside a few more real cases (paper 4.2.2)
    memorisation.py  whether they are copies of training images
    membership.py    whether they tell on whom the generator was trained
    reader.py        whether a classifier can tell them from real ones (paper 4.4)
    separation.py    how well a classifier's features keep the classes apart (paper 4.3, Fig. 9)

The caller selects rows: one class, one fold, one image per lesion or all its augmentations.
"""
