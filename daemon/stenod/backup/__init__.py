"""Copies of the database: made while it works, verified, rotated, and put back."""
