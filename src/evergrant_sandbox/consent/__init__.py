"""The authorization link: the pages on which a seller says yes or no to an app."""
