"""Measures: numbers kept per subject, such as "purchases of shoes in the last 30 days"."""
