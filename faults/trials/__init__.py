"""The fault tests, one module each; a test that is not in this table is not run."""

from faults.trials import tf_01, tf_02, tf_03, tf_06, tf_13, tour

TRIALS = (tf_01.TEST, tf_02.TEST, tf_03.TEST, tf_06.TEST, tf_13.TEST, tour.TEST)
