"""What finding the lesions of one annotation may take.

Which contours lie inside which, and on which slices, costs the product of their numbers: a file of
a megabyte can ask for hours.
"""

from lesion.errors import TooLargeError

#: More than what anybody draws of a patient takes, and few enough to be refused in seconds.
MOST_STEPS = 2**29

#: Of a call of NumPy or scikit-image, whatever it is given.
A_CALL = 8192


class Effort:
    """The steps that are left to one annotation."""

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Count a call that takes so many steps; raise `TooLargeError` once all are spent."""
        self._left -= A_CALL + steps
        if self._left < 0:
            raise TooLargeError(
                "contours: found more of them, one over another or on many slices at once, "
                "than anybody draws, expected fewer"
            )
