"""Comparisons of time, memory and score, and what they rest on."""
