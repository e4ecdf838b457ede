"""Training: the loop that changes parameters, and the diagnosis of how each run ended.

Reading order: `task` (what is trained, and the arrays that training fills), `learner` (one epoch: batches, gradient,
update), `loop` (all epochs: records losses and snapshots, finds runs that stop or diverge), `success` (when an example
is right and when a run stops), `outcome` (solved, plateau, …), which asks `reference` (a constant answer, neighbours),
`motion` (whether a run still moves) and `diagnosis` (dead units, equal units, tied outputs).

Training only fills arrays; everything that shows a run reads its history.
"""
