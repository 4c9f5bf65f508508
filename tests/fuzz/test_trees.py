"""Objects whose trees grew wrong are read or refused: in every reader, with no other exception.

Branches are cut, doubled, emptied, moved to where they do not belong and nested in themselves;
lengths are undefined, wrong, or cut off. What is then read is what the reader promises.
"""

from contextlib import suppress
from copy import deepcopy
from struct import pack

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from lesion.annotation.read import read_annotation
from lesion.errors import InputError
from lesion.image.dicom import read_ct
from lesion.image.part10 import read
from service.dimse.identity import KINDS, identify
from service.problems import ReportError
from service.report.source import read_source

from .objects import elements, make_study, part10, written

ENDS = {"item": (0xFFFE, 0xE00D), "sequence": (0xFFFE, 0xE0DD)}
UNDEFINED = 0xFFFFFFFF
#: Deeper than any object's, and than Python would follow.
DEEP = 400


@pytest.fixture
def study(make_ct, make_seg, encode):
    return make_study(make_ct, make_seg, encode)


def sequences(dataset):
    """Return every sequence, as the dataset that holds it and its tag."""
    return [(holder, tag) for holder, tag in elements(dataset) if holder[tag].VR == "SQ"]


def grown_wrong(rng, dataset):
    """Return a copy of which some branches are no longer what they were."""
    made = deepcopy(dataset)
    for _ in range(rng.integers(1, 5)):
        found = sequences(made)
        if not found:
            break
        holder, tag = found[rng.integers(len(found))]
        items = holder[tag].value
        other, other_tag = found[rng.integers(len(found))]
        match rng.integers(8):
            case 0:
                holder[tag].value = Sequence()
            case 1:
                del holder[tag]
            case 2 if len(items):
                items.extend(deepcopy(items[0]) for _ in range(rng.integers(1, 40)))
            case 3:
                items.insert(0, Dataset())
            case 4:
                other[tag] = deepcopy(holder[tag])
            case 5:
                other[other_tag].value = deepcopy(items)
            case 6 if len(items):
                some = list(items[0].keys())
                if some:
                    del items[0][some[rng.integers(len(some))]]
            case 7:
                inner = deepcopy(holder[tag])
                for one in items:
                    one[tag] = DataElement(tag, "SQ", deepcopy(inner.value))
    return made


def broken(rng, data):
    """Return bytes cut off, or of which some lengths, tags or bytes are others."""
    made = bytearray(data)
    for _ in range(rng.integers(0, 4)):
        at = int(rng.integers(132, len(made) - 8))
        match rng.integers(5):
            case 0:
                made[at : at + 4] = pack("<L", UNDEFINED)
            case 1:
                made[at : at + 2] = pack("<H", rng.integers(0, 1 << 16))
            case 2:
                del made[at : at + rng.integers(1, 9)]
            case 3:
                made[at:at] = pack("<HHL", *ENDS["item" if rng.random() < 0.5 else "sequence"], 0)
            case 4:
                made = made[: max(at, 200)]
    return bytes(made)


def read_by_all(kind, data, place, sop_class, instance):
    """Read an object by every reader that is given it."""
    with suppress(InputError):
        if kind in ("ct", "enhanced"):
            slices = read_ct(data, frame=None)
            assert slices.hu.dtype == np.float32
            assert np.isfinite(slices.hu).all()
        else:
            for lesion in read_annotation(data, [place]):
                assert lesion.slice_index == 0
    with suppress(InputError):
        identity = identify(data, sop_class=sop_class, instance=instance)
        assert identity.kind == KINDS[sop_class]
    with suppress(InputError, ReportError):
        assert read_source(data).StudyInstanceUID


def test_every_tree_is_read_or_refused(study, rounds, rng):
    place = read_ct(part10(study.ct, str(study.ct.SOPClassUID))).place
    for at in range(20 * rounds):
        kind = study._fields[at % len(study)]
        dataset = getattr(study, kind)
        sop_class = UID(dataset.SOPClassUID)
        data = part10(grown_wrong(rng, dataset), str(sop_class))
        if rng.random() < 0.5:
            data = broken(rng, data)
        read_by_all(kind, data, place, sop_class, str(dataset.SOPInstanceUID))


def test_every_beginning_is_read_or_refused(study, rounds, rng):
    """The same without a preamble, without file meta information, or as any other bytes."""
    place = read_ct(part10(study.ct, str(study.ct.SOPClassUID))).place
    for at in range(5 * rounds):
        kind = study._fields[at % len(study)]
        dataset = getattr(study, kind)
        whole = part10(grown_wrong(rng, dataset), str(dataset.SOPClassUID))
        data = [whole[128:], whole[132:], written(dataset)][rng.integers(3)]
        if rng.random() < 0.7:
            data = bytes(200) + data if rng.random() < 0.1 else broken(rng, data)
        read_by_all(kind, data, place, UID(dataset.SOPClassUID), str(dataset.SOPInstanceUID))


@pytest.mark.parametrize("kind", ["enhanced", "seg", "rtstruct", "sr"])
@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_in_themselves(study, kind, undefined):
    dataset = getattr(study, kind)
    place = read_ct(part10(study.ct, str(study.ct.SOPClassUID))).place
    for holder, tag in sequences(dataset):
        keep = holder[tag]
        body = written(keep.value[0])
        head = pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"SQ", 0)
        for _ in range(DEEP):
            if undefined:
                body = b"\xfe\xff\x00\xe0" + pack("<L", UNDEFINED) + body
                body = head + pack("<L", UNDEFINED) + body
                body += pack("<HHLHHL", *ENDS["item"], 0, *ENDS["sequence"], 0)
            else:
                body = pack("<HHL", 0xFFFE, 0xE000, len(body)) + body
                body = head + pack("<L", len(body)) + body
        del holder[tag]
        data = part10(dataset, str(dataset.SOPClassUID)) + body
        holder[tag] = keep
        read_by_all(kind, data, place, UID(dataset.SOPClassUID), str(dataset.SOPInstanceUID))


def test_what_is_read_does_not_depend_on_how_lengths_are_told(study, encode):
    """Undefined lengths and Implicit VR say the same as defined ones and Explicit VR."""
    wanted = {
        "SegmentSequence": {"SegmentNumber": None},
        "PerFrameFunctionalGroupsSequence": {
            "PlanePositionSequence": {"ImagePositionPatient": None},
            "DerivationImageSequence": {"SourceImageSequence": {"ReferencedSOPInstanceUID": None}},
        },
    }
    syntaxes = [ImplicitVRLittleEndian, ExplicitVRLittleEndian]
    expected = read(encode(study.seg), wanted, transfer_syntaxes=syntaxes).values
    for holder, tag in sequences(study.seg):
        holder[tag].is_undefined_length = True
        for one in holder[tag].value:
            one.is_undefined_length_sequence_item = True
    for data in (encode(study.seg), encode(study.seg, ImplicitVRLittleEndian)):
        assert read(data, wanted, transfer_syntaxes=syntaxes).values == expected
