"""Advice that was tried: what might help an unsolved run is trained, and what did help is said.

Reading order: `candidates` (changes worth trying, from the settings of the run), `trials` (which of them fit the
budget, their training, and their results as text and as a file).
"""
