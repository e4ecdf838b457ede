"""One step of training with every number next to its formula, and gradient checks.

Reading order: `step` computes the numbers; `forward`, `backward` and `update` turn them into equations of a
`document`; `explanation` combines these, and `text` and `latex` are its three formats.  `differences`, `gradients` and
`mistakes` compare gradients with finite differences.
"""
