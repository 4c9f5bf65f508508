"""Every error that Hepatica raises on purpose.

Each message says what was found, what was expected and where.

HepaticaError
├── InputError                     the caller's data; `slug` and `title` name the fault
│   ├── MalformedError             not what it claims to be
│   │   ├── EmptyInputError
│   │   ├── UnreadableImageError
│   │   ├── UnreadableOutlineError
│   │   └── UnreadableParameterError
│   ├── TooLargeError              more bytes, pixels or objects than the limits allow
│   ├── UnsupportedError           a format that we do not read
│   │   ├── UnknownFormatError
│   │   └── TransferSyntaxError
│   └── UnusableError              understood, but it cannot be classified
│       ├── NotCTError
│       ├── LocalizerError
│       ├── MultiFrameError
│       ├── SeriesError
│       ├── PatientMismatchError   files that state different patients
│       ├── RescaleError
│       ├── SpacingError
│       ├── PixelFormatError
│       ├── DeviationError         a file that deviates from the standard, where that is refused
│       ├── AnnotationError        a DICOM annotation that does not belong to the slice
│       ├── NoLesionError          a DICOM annotation of anatomy alone
│       └── OutlineError           an outline that is no lesion of the slice
│           ├── OutlineMissingError
│           ├── OutlineNotFiniteError
│           ├── OutlineOutsideError
│           ├── OutlineTooSmallError
│           ├── OutlineCrossingError
│           └── MaskSizeError
├── CohortError                    a training cohort that cannot be used
├── RunError                       a training run's folder that cannot be used as asked
└── BundleError                    a model bundle that cannot be trusted

No message holds a patient attribute: messages quote sizes, tags and codes, never names, dates or
identifiers.
"""

import re
from typing import ClassVar


class HepaticaError(Exception):
    """Anything that Hepatica refuses to do."""


class InputError(HepaticaError, ValueError):
    """The input cannot be used."""

    slug: ClassVar[str] = "input"
    title: ClassVar[str] = "The input cannot be used"

    def __init_subclass__(cls) -> None:
        """Derive `slug` and `title` from the class's name and docstring: neither can drift."""
        super().__init_subclass__()
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", cls.__name__.removesuffix("Error"))
        cls.slug = "-".join(word.lower() for word in words)
        cls.title = (cls.__doc__ or cls.__name__).splitlines()[0].rstrip(".")


class MalformedError(InputError):
    """The input is not what it claims to be."""


class EmptyInputError(MalformedError):
    """The input is empty."""


class UnreadableImageError(MalformedError):
    """The image cannot be read."""


class UnreadableOutlineError(MalformedError):
    """The outline cannot be read."""


class UnreadableParameterError(MalformedError):
    """A parameter cannot be read."""


class TooLargeError(InputError):
    """The input is larger than the limits allow."""


class UnsupportedError(InputError):
    """The format is not supported."""


class UnknownFormatError(UnsupportedError):
    """The input is in no format that is read here."""


class TransferSyntaxError(UnsupportedError):
    """The DICOM transfer syntax is not supported."""


class UnusableError(InputError):
    """The input was understood, but it cannot be classified."""


class NotCTError(UnusableError):
    """The image is not a CT image."""


class LocalizerError(UnusableError):
    """The image is a localizer, not an axial slice."""


class MultiFrameError(UnusableError):
    """No frame of the multi-frame image can be chosen."""


class SeriesError(UnusableError):
    """The images are not those of one series."""


class PatientMismatchError(UnusableError):
    """The files are not of one patient."""


class RescaleError(UnusableError):
    """The pixel values cannot be turned into Hounsfield units."""


class SpacingError(UnusableError):
    """The pixel spacing is missing or unusable."""


class PixelFormatError(UnusableError):
    """The pixel format is not that of a CT slice."""


class DeviationError(UnusableError):
    """The file deviates from the DICOM standard."""


class AnnotationError(UnusableError):
    """The annotation does not belong to the image."""


class NoLesionError(UnusableError):
    """The annotation marks no lesion."""


class OutlineError(UnusableError):
    """The outline is not that of a lesion of the image."""


class OutlineMissingError(OutlineError):
    """No outline was given."""


class OutlineNotFiniteError(OutlineError):
    """The outline has coordinates that are not finite numbers."""


class OutlineOutsideError(OutlineError):
    """The outline leaves the image."""


class OutlineTooSmallError(OutlineError):
    """The outline encloses too little to be a lesion."""


class OutlineCrossingError(OutlineError):
    """The outline crosses itself."""


class MaskSizeError(OutlineError):
    """The mask and the image differ in size."""


class CohortError(HepaticaError, ValueError):
    """A training cohort cannot be used."""


class RunError(HepaticaError):
    """A training run's folder cannot be used as asked."""


class BundleError(HepaticaError, ValueError):
    """A model bundle cannot be trusted."""
