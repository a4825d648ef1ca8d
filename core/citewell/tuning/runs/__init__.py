"""Trainings as they go on and when they have ended: each a folder of its own."""
