"""The gates of the design, each measured beside its peer in one run."""
