"""Stages: their fingerprints, the store that keeps them, and running one."""
