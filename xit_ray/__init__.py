"""xit_ray: search over cross-lingual intermediate-task training recipes with Ray, scored zero-shot in every language."""

__version__ = "0.1.0"
