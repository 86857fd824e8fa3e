"""Measurements, each ``python -m benchmarks.NAME``: a table, and a last line ``RESULT {json}``."""
