"""The server behind `gallae serve`, and its client: models by name over HTTP, computed in batches."""
