"""The figures of Frid-Adar et al. 2018 that ours are set beside, as printed; they stand here alone.

Percent, but for counts. Its own rounding is mixed: what two tables share agrees within 0.1.
"""

from types import MappingProxyType
from typing import Final, NamedTuple


class Row(NamedTuple):
    """A method's or a class's sensitivity and specificity, in percent.

    A method's "sensitivity" is the support-weighted mean of its classes': the total accuracy.
    """

    sensitivity: float
    specificity: float


#: Lesions by class (2.1), and the new cases of Fig. 8's green curve (4.2.2).
LESIONS: Final = MappingProxyType({"cyst": 53, "metastasis": 64, "hemangioma": 65})

#: Fig. 8, read off to about 0.3: accuracy by samples added per fold. Red: classic augmentation.
FIGURE_8_CLASSIC: Final = MappingProxyType(
    {
        0: 57.1,
        500: 71.4,
        1000: 74.7,
        2000: 77.5,
        3000: 77.5,
        5000: 78.6,
        7500: 78.6,
        10000: 78.0,
        15000: 78.0,
    }
)
#: Blue: synthetic samples added to 5000 classic ones.
FIGURE_8_SYNTHETIC: Final = MappingProxyType(
    {300: 80.8, 1500: 83.5, 3000: 85.7, 6000: 85.7, 9000: 85.2, 12000: 85.2}
)
#: Green: what new real cases added before saturation, by the text (4.2.2).
NEW_CASES_GAIN: Final = 2.0

#: Confusion of CNN-AUG (Table 2) and CNN-AUG-GAN (Table 3): true classes in rows.
TABLE_2: Final = ((52, 1, 0), (2, 44, 18), (0, 18, 47))
TABLE_3: Final = ((53, 0, 0), (2, 52, 10), (1, 13, 51))


class Expert(NamedTuple):
    """A radiologist on 182 real and 120 synthetic ROIs: percent right, and counts of 302."""

    real: float
    synthetic: float
    classes_right: int
    origin_right: int


#: Table 4.
TABLE_4: Final = MappingProxyType(
    {"Expert 1": Expert(78.0, 77.5, 235, 189), "Expert 2": Expert(69.2, 69.2, 209, 177)}
)
READER_ROIS: Final = MappingProxyType({"real": 182, "synthetic": 120})

#: Generators (Table 5).
TABLE_5: Final = MappingProxyType(
    {
        "CNN-AUG-GAN (DCGAN)": Row(85.7, 92.4),
        "CNN-AUG-GAN (ACGAN)": Row(81.3, 90.0),
        "ACGAN discriminator": Row(79.1, 88.8),
    }
)
#: Methods (Table 6).
TABLE_6: Final = MappingProxyType(
    {
        "CNN-AUG-GAN": Row(85.7, 92.4),
        "CNN-AUG": Row(78.6, 88.4),
        "BoVW-MI-multi": Row(82.9, 90.8),
        "BoVW-MI-single": Row(78.0, 88.3),
        "Gabor + SVM": Row(74.2, 86.5),
        "GLCM + SVM": Row(71.4, 84.9),
    }
)
#: Classes (Table 7); its last row, the weighted average, is Table 6's.
TABLE_7: Final = MappingProxyType(
    {
        "CNN-AUG-GAN": MappingProxyType(
            {
                "cyst": Row(100.0, 97.7),
                "metastasis": Row(81.2, 89.0),
                "hemangioma": Row(78.5, 91.4),
            }
        ),
        "CNN-AUG": MappingProxyType(
            {
                "cyst": Row(98.1, 98.4),
                "metastasis": Row(68.7, 83.9),
                "hemangioma": Row(72.3, 84.6),
            }
        ),
    }
)
