"""Artifacts: collections and versions, their manifests, and the blobs that hold their contents."""
