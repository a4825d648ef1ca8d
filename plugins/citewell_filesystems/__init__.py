"""The source `filesystem`: whatever fsspec reaches, object stores first."""
