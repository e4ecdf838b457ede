"""The machine: a C library, compiled when xortrain is installed, that works on many runs at once.

Where there is no C compiler it is missing, and NumPy does everything.
"""
