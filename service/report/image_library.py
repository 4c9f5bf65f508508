"""The images of a report as its Image Library (TID 1600), by which viewers find what to open."""

from collections.abc import Sequence

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ContainerContentItem,
    ContentSequence,
    ImageContentItem,
    RelationshipTypeValues,
)
from pydicom.dataset import Dataset

LIBRARY = CodedConcept("111028", "DCM", "Image Library")
GROUP = CodedConcept("126200", "DCM", "Image Library Group")
MODALITY = CodedConcept("121139", "DCM", "Modality")
CT = CodedConcept("CT", "DCM", "Computed Tomography")
SOURCE = CodedConcept("260753009", "SCT", "Source")


def image_library(sources: Sequence[Dataset]) -> ContainerContentItem:
    """Return the library of the images, all of them CT.

    highdicom's own asks of each image for its plane and its pixels, which a multi-frame image does
    not say of itself.
    """
    group = _container(GROUP)
    context, contains = RelationshipTypeValues.HAS_ACQ_CONTEXT, RelationshipTypeValues.CONTAINS
    group.ContentSequence.append(CodeContentItem(MODALITY, CT, context))
    for source in sources:
        uids = source.SOPClassUID, source.SOPInstanceUID
        group.ContentSequence.append(ImageContentItem(SOURCE, *uids, relationship_type=contains))
    library = _container(LIBRARY)
    library.ContentSequence.append(group)
    return library


def _container(name: CodedConcept) -> ContainerContentItem:
    container = ContainerContentItem(name, relationship_type=RelationshipTypeValues.CONTAINS)
    container.ContentSequence = ContentSequence()
    return container
