"""The paper's baselines (4.5, Table 6): what was done before networks, trained on the same lesions.

All take the patches of some lesions to train on and score others; nothing is fitted on the test
lesions, and no lesion's score depends on which others are tested with it. `bovw` learns a
dictionary of small patches; the two texture methods describe the whole patch
(`training.features`); all end in `svm`.
"""

from training.reproduction.baselines import bovw, texture

#: Table 6's rows. Every method is called with `(train_hu, train_classes, train_patients, test_hu,
#: *, preset, seed)` and returns scores [m, 3], float64, whose largest names the class.
METHODS = {
    "bovw-mi-multi": bovw.multi,
    "bovw-mi-single": bovw.single,
    "gabor-svm": texture.gabor_svm,
    "glcm-svm": texture.glcm_svm,
}
