"""The search: everything that touches Ray."""
