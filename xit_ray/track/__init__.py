"""What is kept of a search: its journal of events, the tables folded from it, and MLflow."""
