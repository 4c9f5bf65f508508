"""Reads the free text of a label: whether it is an organ's name, or has a word for a lesion.

The words here are English, German, French, Spanish, Italian and anatomical Latin, mostly of the
abdomen. Further English names come from DICOM's own tables (`lesion.annotation.kind`).
"""

import re
import unicodedata


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: A word of these says that a label names a lesion. As `words` returns them, without accents.
LESION_WORDS = _set(
    """
    lesion lesions lasion lasionen lesione lesioni lesiones
    tumor tumors tumour tumours tumoren tumeur tumeurs tumore tumori tumores
    mass masses masse massen masa masas raumforderung raumforderungen
    cyst cysts zyste zysten kyste kystes quiste quistes cisti
    metastasis metastases metastase metastasen metastasi mets
    hemangioma hemangiomas haemangioma haemangiomas hamangiom hamangiome hemangiome hemangiomes
    emangioma emangiomi angioma
    nodule nodules nodul nodulo nodulos noduli knoten
    neoplasm neoplasms neoplasia carcinoma carcinomas karzinom karzinome carcinome cancer krebs
    adenoma adenomas adenom adenome abscess abscesses abszess
    hcc fnh
    """
)

#: Before a word for a lesion, these say that it is left out: "liver without tumour", not "tumour no
#: 2"; the others do so anywhere: "tumour-free liver".
_WITHOUT = _set("no non not without except excluding exclude excl minus ohne sans sin senza")
_HEALTHY = _set("free normal healthy excluded removed frei gesund gesunde sain sano")

#: A compound ends in what it names ("Lebermetastase", "cholangiocarcinoma"), which short words and
#: these do not tell: a "Lymphknoten" is none. Nor does a compound that begins with `_BUT`.
_ENDINGS = tuple(
    word for word in LESION_WORDS - _set("knoten masse massen masas masses") if len(word) >= 5
)
_BUT = ("non", "nicht", "peri", "extra", "para")

#: Words beside an organ's name that leave it one.
_BESIDE = _set(
    """
    left right l r lt rt both upper lower middle
    links rechts gauche droit droite izquierdo derecho
    whole entire total normal healthy parenchyma
    lobe lobes segment segments organ structure of the
    segmentation seg roi mask contour outline label volume
    """
)

#: Names of organs beyond DICOM's meanings, each with the meaning that it stands for.
_SYNONYMS = {
    "Liver": "hepar leber foie higado fegato figado lever",
    "Spleen": "lien milz rate bazo milza",
    "Kidney": "ren niere nieren rein reins rinon rene reni",
    "Pancreas": "pankreas",
    "Gallbladder": "gallenblase vesicule",
    "Stomach": "magen estomac estomago stomaco",
    "Lung": "pulmo lunge lungen poumon poumons pulmon pulmones polmone polmoni",
    "Heart": "cor herz coeur corazon cuore",
    "Entire body": "body external korper",
    "Inferior vena cava": "ivc vci",
    "Superior vena cava": "svc vcs",
    "Aorta": "aorte",
    "Portal vein": "pv pfortader",
    "Bone": "bones knochen",
    "Small intestine": "bowel bowels darm",
}
#: The same, of more words than one.
_PHRASES = {
    "small bowel": "Small intestine",
    "large bowel": "Large intestine",
    "gall bladder": "Gallbladder",
    "urinary bladder": "Bladder",
    "vena cava inferior": "Inferior vena cava",
    "vena portae": "Portal vein",
    "portal vein and splenic vein": "Portal vein",
    "hepatic vessel": "Blood Vessel",
    "liver vessel": "Blood Vessel",
    "spinal canal": "Spinal cord",
}
OTHER_NAMES = _PHRASES | {
    name: meaning for meaning, names in _SYNONYMS.items() for name in names.split()
}


def words(label: str) -> list[str]:
    """Return the words of a label, without accents and case; "LiverTumor_1" has three."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    plain = unicodedata.normalize("NFKD", parts).casefold().replace("w/o", "without")
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"[^\W\d_]+|\d+", letters)


def names_lesion(label: str) -> bool:
    """Tell whether a label names a lesion, and not what is left without it."""
    found = words(label)
    first = next((at for at, word in enumerate(found) if _is_lesion(word)), None)
    return first is not None and not (_WITHOUT & {*found[:first]} or _HEALTHY & {*found})


def _is_lesion(word: str) -> bool:
    compound = word.endswith(_ENDINGS) and not word.startswith(_BUT)
    return word in LESION_WORDS or compound


def bare(label: str) -> str:
    """Return a label without numbers and without words that leave an organ's name one."""
    return " ".join(w for w in words(label) if not w.isdigit() and w not in _BESIDE)
