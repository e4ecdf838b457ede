"""Advice that was tried: trains what might help an unsolved run, and says what did.

Reading order: `candidates` (changes worth trying, from the settings of the run), `trials` (which of them fit the
budget, their training, and their results as text and as a file).
"""
