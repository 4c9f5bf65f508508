"""How good synthetic images are, measured per class in feature spaces that need no download.

Every function takes plain arrays and looks at one question:

    feature_space         raw features to a space where distances mean something
    kid                   how far apart two sets are as a whole (KID)
    precision_recall      how real they look (precision, density), what they cover (recall)
    diversity             what they cover and how they vary, beside a few more real cases (4.2.2)
    memorisation          whether they are copies of training images
    membership_inference  whether they tell on whom the generator was trained
    reader                whether a classifier can tell them from real ones (paper 4.4)
    separation            how well a classifier's features keep the classes apart (4.3, Fig. 9)

The caller selects rows: one class, one fold, one image per lesion or all its augmentations.
"""
