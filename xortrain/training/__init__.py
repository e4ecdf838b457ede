"""The loop that changes parameters, and what became of each run.

Training leaves a history, arrays of losses and parameters; whatever wants to look looks at that.
"""
