"""The fault tests, one module each; a test that is not in this table is not run."""

from faults.trials import (
    tf_01,
    tf_02,
    tf_03,
    tf_04,
    tf_05,
    tf_06,
    tf_07,
    tf_08,
    tf_10,
    tf_11,
    tf_12,
    tf_13,
    tf_16,
    tf_17,
    tf_20,
    tour,
)

TRIALS = (
    tf_01.TEST,
    tf_02.TEST,
    tf_03.TEST,
    tf_04.TEST,
    tf_05.TEST,
    tf_06.TEST,
    tf_07.TEST,
    tf_08.TEST,
    tf_10.TEST,
    tf_11.TEST,
    tf_12.TEST,
    tf_13.TEST,
    tf_16.TEST,
    tf_17.TEST,
    tf_20.TEST,
    tour.TEST,
)
