"""One step of training with every number beside its formula, and gradient checks.

Reading order: `step` has the numbers; `forward`, `backward` and `update` say them as equations of a `document`, which
`page` puts together and `text`, `mathematics` and `markup` write out; `differences`, `proof`, `gradients` and
`mistakes` compare gradients with finite differences.
"""
