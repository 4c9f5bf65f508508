"""The same patients and lesions before contrast medium, and in the late arterial phase.

Enhancement is that of Goshima et al. (AJR 2006;187:W25; 171 patients), 10-15 s and 45-55 s after
bolus tracking: liver 15-25 and 59-63 HU, aorta 300-336, portal vein 75-104, spleen 97-108 and
73-82; the hepatic veins' 24-51 is about the liver's own, so they do not show. The ranges of spleen
and aorta (284-309 in PMID 17329690) are taken a little wider. Unenhanced: normal liver 58 ± 9 HU
(post mortem: Int J Legal Med 2019;133:1861), about 10 above the spleen; blood 45 (textbooks). Of
the kidneys, the cava and the gut, and of how a lesion's parts enhance, the figures are judgement.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from training.phantom import vessels
from training.phantom.anatomy import Anatomy
from training.phantom.classes import LesionClass
from training.phantom.geometry import Field, Points
from training.phantom.lesions import Body

Phase = Literal["unenhanced", "arterial"]

#: What fluid measures in every phase.
_FLUID = 10.0


def at_phase(rng: np.random.Generator, phase: Phase, portal: Anatomy) -> Anatomy:
    """Return a patient as another phase shows it."""
    blood = float(np.clip(rng.normal(45, 4), 35, 55))
    # In proportion, so that a fatty liver stays one: 108 HU become 57, and 55-80 become 29-42.
    liver = float(rng.uniform(0.49, 0.57)) * portal.liver_hu
    plain = replace(
        portal,
        liver_hu=liver,
        vessel_hu=blood,
        spleen_hu=float(rng.uniform(44, 52)),
        kidney_hu=float(rng.uniform(28, 36)),
        aorta_hu=blood,
        cava_hu=blood,
        gut_hu=42.0,
        texture_hu=0.4 * portal.texture_hu,  # mostly uneven enhancement
    )
    if phase == "unenhanced":
        return plain
    return replace(
        plain,
        liver_hu=liver + float(rng.uniform(15, 25)),
        vessel_hu=blood + float(rng.uniform(75, 104)),
        tree=vessels.downstream(portal.tree),
        spleen_hu=plain.spleen_hu + float(rng.uniform(85, 110)),
        kidney_hu=float(rng.uniform(120, 160)),  # the cortex is brighter, the pyramids darker
        aorta_hu=blood + float(rng.uniform(270, 336)),
        cava_hu=blood + float(rng.uniform(20, 60)),
        gut_hu=90.0,
        texture_hu=0.7 * portal.texture_hu,
    )


def recast(
    body: Body, lesion_class: LesionClass, *, phase: Phase, portal: Anatomy, now: Anatomy
) -> Body:
    """Return a lesion of the portal phase as it looks in the same patient `now`, in `phase`.

    Its HU are put through a curve, so that its parts stay where they are. Fluid does not enhance,
    and no cyst. A metastasis is soft tissue of about 40 HU that in the arterial phase has taken up
    little, its rim more. A hemangioma is as dense as blood before enhancement, throughout; in the
    arterial phase its nodules are far denser than the liver yet mostly below the aorta (AJR
    2010;195:381), and what fills in later is still dark.
    """
    match lesion_class, phase:
        case LesionClass.CYST, _:
            return body
        case LesionClass.METASTASIS, "unenhanced":
            tissue, bright = 42.0, 50.0
        case LesionClass.METASTASIS, "arterial":
            tissue, bright = 54.0, 95.0
        case LesionClass.HEMANGIOMA, "unenhanced":
            tissue = bright = now.aorta_hu
        case _:
            tissue, bright = 50.0, 0.55 * now.aorta_hu
    then = (0.0, _FLUID, 0.75 * portal.liver_hu, portal.vessel_hu)
    curve = (0.0, _FLUID, tissue, bright)

    def recasted(points: Points, pixel: float) -> tuple[Field, Field]:
        cover, hu = body(points, pixel)
        return cover, np.interp(hu, then, curve).astype(np.float32)

    return recasted
