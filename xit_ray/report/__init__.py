"""The report: transfer matrix, intervals, per-language table, HTML and console."""
