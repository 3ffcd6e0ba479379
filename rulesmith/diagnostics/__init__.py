"""Findings about a configuration: values with a name and a place."""
