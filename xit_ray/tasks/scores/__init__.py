"""Metrics, each as its benchmark's own scorer computes it. All are between 0 and 1; larger is better."""
