"""From a cohort's folder to training sets: slices, patches, augmentation, folds."""
