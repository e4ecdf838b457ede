"""The commands, one file each: a function from words to text, which `cli` prints.

`arguments` has what their command lines share.  Begin with `ls` and `show`; `resume`, `rerun`, `render` and `explain`
train or draw, the others only read records.
"""

COMMANDS: dict[str, tuple[str, str]] = {
    "ls": ("ls:ls", "list runs and sweeps, newest first, or the runs for which a condition holds"),
    "show": ("show:show", "one run or sweep: how it ended, its settings, where it is"),
    "compare": ("compare:compare", "the settings in which runs differ, and their results, side by side"),
    "group": ("group:group", "success rate, epochs to solve and loss of runs that agree in settings"),
    "sql": ("sql:sql", "query all runs in SQL: select … from runs"),
    "tag": ("tag:tag", "add words to find a run by, or remove them"),
    "note": ("tag:note", "add a note to a run"),
    "rm": ("rm:rm", "remove runs or sweeps with everything in their folders"),
    "export": ("export:export", "write runs, losses or parameters as CSV, JSON lines or NPZ"),
    "resume": ("resume:resume", "train what a stopped sweep still lacks"),
    "rerun": ("rerun:rerun", "train a run again; --check compares every number with the record"),
    "render": ("render:render", "draw a film or a still again from a record"),
    "explain": ("explain:explain_step", "one training step with every number beside its formula"),
    "check": ("explain:check_gradient", "a gradient against central differences"),
}
"""Command to its function, "module:function" in this package, and its line of help."""
