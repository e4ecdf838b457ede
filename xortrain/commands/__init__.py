"""The commands: each is a function from command-line words to the text that `cli` prints, or to its parts in order.

`arguments` has what they share.  Begin with `ls` and `show`; `resume`, `continue`, `rerun` and `zoom` train, `predict`
computes outputs, `render` draws, `explain` and `check` look at one training step, all others only read records or
change names, tags and notes.
"""

COMMANDS: dict[str, tuple[str, str]] = {
    "ls": ("ls:ls", "list runs and sweeps, newest first, or the runs for which a condition holds"),
    "show": ("show:show", "show one run or sweep: how it ended, its settings, where it is"),
    "compare": ("compare:compare", "compare runs: the settings in which they differ, and their results"),
    "group": ("group:group", "group runs by their settings: success rate, epochs to solve, loss"),
    "sql": ("ls:sql", "query all runs in SQL: select … from runs"),
    "tag": ("tag:tag", "add tags to a run or a sweep, or remove them"),
    "note": ("tag:note", "add a note to a run or a sweep"),
    "rename": ("tag:rename", "name a run or a sweep; its id and its folder stay the same"),
    "rm": ("rm:rm", "remove runs or sweeps with everything in their folders"),
    "export": ("export:export", "write runs, losses, parameters or a network in the formats of other tools"),
    "page": ("write_page:page", "write one HTML file that shows and plays runs, and continues their training"),
    "resume": ("rerun:resume", "train the missing runs of a stopped sweep"),
    "continue": ("rerun:continue_training", "continue training a run or a sweep, with the same or other settings"),
    "rerun": ("rerun:rerun", "train a run again; --check compares every number with the record"),
    "predict": ("predict:predict", "compute the outputs and classes of a trained network for other inputs"),
    "zoom": ("zoom:zoom", "film a zoom into a place of a map: every frame is a newly trained window"),
    "render": ("render:render", "draw a film or a still image again from a record"),
    "explain": ("explain_and_check:explain_step", "explain one training step, with every number next to its formula"),
    "check": ("explain_and_check:check_gradient", "check a gradient against central differences"),
}
"""Each command with its function, "module:function" in this package, and its line of help."""
