"""Commands that look at what was kept: each a function from records and names to text."""

COMMANDS: dict[str, tuple[str, str]] = {
    "ls": (
        "xortrain.tracker.listing:ls",
        "list runs and sweeps, newest first, or the runs for which a condition holds",
    ),
    "show": ("xortrain.tracker.showing:show", "one run or sweep: what became of it, its settings, where it lies"),
    "compare": (
        "xortrain.tracker.comparing:compare",
        "the settings in which runs differ, and their results, side by side",
    ),
    "group": (
        "xortrain.tracker.grouping:group",
        "success rate, epochs to solve and loss of runs that agree in settings",
    ),
    "sql": ("xortrain.tracker.asking:sql", "ask all runs a question in SQL: select … from runs"),
    "tag": ("xortrain.tracker.marking:tag", "add words to find a run by, or take them away"),
    "note": ("xortrain.tracker.marking:note", "add a note to a run"),
    "rm": ("xortrain.tracker.removing:rm", "remove runs or sweeps with everything in their folders"),
    "export": ("xortrain.tracker.exporting:export", "write runs, losses or parameters as CSV, JSON lines or NPZ"),
}
"""Command to where its function lies, "module:function", and a line of what it does."""
