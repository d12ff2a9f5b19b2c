"""Experiments too long for a page: `make experiments` runs them, the chapters plot what they left."""
