"""The fault tests, one module each; a test that is not in this table is not run."""

from faults.trials import tf_03

TRIALS = (tf_03.TEST,)
