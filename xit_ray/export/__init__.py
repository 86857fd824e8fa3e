"""A search's winner as a model that others use: a folder in the form of transformers or sentence-transformers."""
