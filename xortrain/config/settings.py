"""Every setting there is, in one table: by group and option its keys, each with its type, its range and a line.

Defaults are not here but in conf/, with their reasons; a test holds the two side by side.
"""

from typing import Any

from xortrain.config.kinds import Setting, flag, names, number, one_of, text, whole, wholes

Keys = dict[str, Setting]

ENGINES = ("inline", "loky", "dask")

SEED = whole("seed of everything drawn for a run", 0, 2**32 - 1, varies=True)

TOP: Keys = {
    "lr": number("learning rate η", above=0),
    "seed": SEED,
    "epochs": whole("passes over the data", 0, 1_000_000_000),
    "batch_size": whole("examples an update sees; null for all of them", 1, 1_000_000, none=True),
    "shuffle": flag("a new order of the examples every epoch, where there are batches"),
    "dtype": one_of("precision of every number of the training", "float64", "float32"),
    "freeze": names("parameters that stay as they start, as in [b1]"),
    "name": text("what you call this run", none=True),
    "tags": names("words to find it by"),
    "notes": text("anything you want to remember", none=True),
    "root": text("folder that records go to"),
    "dry_run": flag("of a sweep: say what would run and how long it would take, and stop"),
}

TRACK: Keys = {
    "losses": whole("points of the loss curve that are kept, at most", 2, 10_000_000),
    "frames": whole("snapshots of the parameters that are kept, at most", 2, 10_000_000),
    "spacing": one_of("of both where there are more epochs than that", "even", "log"),
    "bytes": whole("of a sweep: beyond so many only the first and last snapshots are kept", 0, 2**50),
}

_alpha = number("scale of the negative side", above=0)
ACTIVATIONS: dict[str, tuple[str, Keys]] = {
    "identity": ("z", {}),
    "sigmoid": ("1 / (1 + exp(-z)), from 0 to 1", {}),
    "tanh": ("from -1 to 1", {}),
    "relu": ("max(z, 0)", {}),
    "leaky_relu": ("z, and slope · z where z is negative", {"slope": number("slope of the negative side")}),
    "elu": ("z, and alpha (exp(z) - 1) where z is negative", {"alpha": _alpha}),
    "celu": ("z, and alpha (exp(z / alpha) - 1) where z is negative", {"alpha": _alpha}),
    "selu": ("elu with the scales of Klambauer et al. (2017)", {}),
    "softplus": ("log(1 + exp(z)), a smooth relu", {}),
    "softmax": ("probabilities that sum to 1 over the layer", {}),
    "gelu": ("z Φ(z), exact", {}),
    "gelu_tanh": ("z Φ(z), by the formula with tanh", {}),
    "silu": ("z · sigmoid(z), also called swish", {}),
    "mish": ("z tanh(softplus(z))", {}),
    "softsign": ("z / (1 + |z|)", {}),
    "relu6": ("z held between 0 and 6", {}),
    "hardtanh": ("z held between -1 and 1", {}),
    "hardsigmoid": ("z / 6 + 1/2 held between 0 and 1", {}),
    "hardswish": ("z · hardsigmoid(z)", {}),
    "logsigmoid": ("log sigmoid(z)", {}),
    "step": ("1 where z is positive, else 0; it has no gradient, so epochs must be 0", {}),
    "sin": ("sine", {}),
    "gaussian": ("exp(-z²)", {}),
}

_two_valued: Keys = {"low": number("target of label 0"), "high": number("target of label 1")}
_split: Keys = {
    "seed": whole("seed of the data", 0, 2**32 - 1, varies=True),
    "test": number("share of the examples that is held out", 0, 0.9, varies=False),
}
_cloud: Keys = {
    "examples": whole("how many points", 4, 100_000),
    "noise": number("how far points are moved, as a share", 0, 0.5),
    **_split,
    **_two_valued,
}
_reduction = {"reduction": one_of("how the examples' losses are put together", "mean", "sum")}
_smoothing = {"label_smoothing": number("share of a target's certainty that is given away", 0, below=1)}
_scale = {"scale": number("multiplies everything drawn")}
_decay = {"weight_decay": number("λ of λ θ added to the gradient", 0)}
_eps = {"eps": number("ε outside the root", above=0)}


def _share(doc: str) -> Setting:
    return number(doc, 0, below=1)


_film: Keys = {
    "fps": number("frames a second", above=0, high=1000, varies=False),
    "frames": whole("how many frames", 1, 100_000),
    "size": wholes(
        "width and height in pixels; null for the layout's own",
        32,
        4096,
        "[width, height], each from 32 to 4096, or null",
        length=(2,),
        none=True,
    ),
    "levels": whole("bands of colour over the outputs", 2, 100, even=True),
    "spacing": one_of("frames at equal steps of", "progress", "epochs", "log"),
    "colours": text("default, or a colour map of matplotlib by name"),
    "dark": flag("a dark ground"),
    "hold": number("seconds that the last frame stands", 0, 600, varies=False),
    "loop": flag("whether the film starts again for ever"),
    "format": one_of("file format", "gif", "png", "webp", "mp4"),
    "each": flag("of a sweep: a film of every run too"),
}

GROUPS: dict[str, dict[str, tuple[str, Keys]]] = {
    "data": {
        "xor": ("two inputs, 1 where just one of them is", _two_valued),
        "and": ("two inputs, 1 where both are", _two_valued),
        "or": ("two inputs, 1 where at least one is", _two_valued),
        "nand": ("two inputs, 0 where both are", _two_valued),
        "nor": ("two inputs, 1 where none is", _two_valued),
        "xnor": ("two inputs, 1 where they are equal", _two_valued),
        "parity": ("1 where the number of ones is odd", {"bits": whole("how many inputs", 1, 12), **_two_valued}),
        "encoder": ("one-hot patterns onto themselves", {"size": whole("how many patterns", 2, 256), **_two_valued}),
        "xor_cloud": ("points of four quadrants, 1 where x1 and x2 have the same sign", _cloud),
        "circle": ("points inside a circle and in the ring around it", _cloud),
        "gauss": ("two round clouds", _cloud),
        "spiral": ("two arms of a spiral", _cloud),
        "moons": ("two half moons", _cloud),
        "notebook_003": ("the four points of notebook 003", _two_valued),
        "csv": (
            "a table of your own",
            {
                "path": text("the file: numbers, one example a line, a header or none", none=True),
                "targets": names("columns that are targets, by name or number; the last where the list is empty"),
                **_split,
            },
        ),
    },
    "architecture": {
        name: (
            says,
            {
                "hidden": wholes("units of each hidden layer", 1, 4096, "a list of layer widths, each from 1 to 4096"),
                "bias": flag("whether units have a bias"),
                "activations": Setting(
                    "for each hidden layer its own, as in [relu,{name: leaky_relu, slope: 0.5}]; null: activation's",
                    "null or a list of activations, one for each hidden layer",
                    lambda value: value,
                ),
            },
        )
        for name, says in (
            ("mlp", "layers, each fully connected to the next"),
            ("skip", "the inputs also feed the outputs"),
        )
    },
    "activation": ACTIVATIONS,
    "output": {"auto": ("what the loss goes with", {}), **ACTIVATIONS},
    "loss": {
        "mse": ("mean of (y - t)²", _reduction),
        "half_sse": ("½ Σ (y - t)² of an example", _reduction),
        "bce": ("binary cross-entropy, through logits", _reduction | _smoothing),
        "cross_entropy": ("of classes, through logits", _reduction | _smoothing),
        "mae": ("mean of |y - t|", _reduction),
        "hinge": ("max(0, 1 - t y), targets -1 and 1", _reduction),
        "squared_hinge": ("its square", _reduction),
        "huber": ("½ e² up to delta, a line beyond", _reduction | {"delta": number("where the line begins", above=0)}),
        "smooth_l1": ("huber divided by beta", _reduction | {"beta": number("where the line begins", above=0)}),
        "log_cosh": ("log cosh(y - t)", _reduction),
        "soft_margin": ("log(1 + exp(-t y)), targets -1 and 1", _reduction),
        "focal": (
            "bce that cares less for what is nearly right",
            _reduction | {"alpha": number("weight of ones", 0, 1), "gamma": number("how much less", 0)},
        ),
        "atanh_error": ("gradient 2 atanh(y - t) (Fahlman 1988)", _reduction),
    },
    "init": {
        "randn": ("RandomState(seed).randn for W1, b1, W2, b2, …", _scale),
        "zeros": ("all 0, for teaching: units stay clones", _scale),
        "constant": ("all the same, for teaching", {"value": number("the value"), **_scale}),
        "uniform": ("evenly between two values", {"low": number("least"), "high": number("largest"), **_scale}),
        "normal": ("a bell curve", {"mean": number("mean"), "std": number("standard deviation", 0), **_scale}),
        "xavier_uniform": ("±√(6 / (fan_in + fan_out)), also called Glorot", _scale),
        "xavier_normal": ("standard deviation √(2 / (fan_in + fan_out))", _scale),
        "he_uniform": ("±√(6 / fan_in), also called Kaiming", _scale),
        "he_normal": ("standard deviation √(2 / fan_in)", _scale),
        "lecun_uniform": ("±√(3 / fan_in)", _scale),
        "lecun_normal": ("standard deviation √(1 / fan_in)", _scale),
        "torch_default": ("±1/√fan_in for weights and biases, PyTorch's Linear", _scale),
        "orthogonal": ("orthonormal rows", _scale),
        "nguyen_widrow": ("hidden lines spread over the inputs (1990)", _scale),
        "sklearn": ("scikit-learn's MLPClassifier", _scale),
        "playground": ("TensorFlow Playground: ±1/2, biases 0.1", _scale),
        "explicit": (
            "the weights you give",
            {
                "weights": Setting(
                    "by name, rows are units: {W1: [[1, 1], [1, 1]], b1: [0, -1], …}",
                    "a mapping of parameter names to numbers",
                    lambda value: value,
                ),
                **_scale,
            },
        ),
    },
    "optimizer": {
        "sgd": (
            "gradient descent",
            {"momentum": _share("μ"), "nesterov": flag("look ahead along the momentum", varies=True), **_decay},
        ),
        "rmsprop": (
            "PyTorch's RMSprop",
            {"alpha": _share("share of the old mean square"), "momentum": _share("μ"), **_eps, **_decay},
        ),
        "adam": ("PyTorch's Adam", {"beta1": _share("β1"), "beta2": _share("β2"), **_eps, **_decay}),
        "adamw": ("Adam with decoupled weight decay", {"beta1": _share("β1"), "beta2": _share("β2"), **_eps, **_decay}),
        "adagrad": ("PyTorch's Adagrad", {"lr_decay": number("decay of the rate", 0), **_eps, **_decay}),
        "adadelta": ("PyTorch's Adadelta", {"rho": _share("share of the old mean square"), **_eps, **_decay}),
        "rprop": (
            "PyTorch's Rprop: signs of the gradient alone; full batch",
            {
                "eta_minus": number("shrinks a step", above=0, below=1),
                "eta_plus": number("lengthens a step", above=1),
                "step_min": number("shortest step", above=0),
                "step_max": number("longest step", above=0),
            },
        ),
    },
    "schedule": {
        "constant": ("the rate stays", {}),
        "step": (
            "times gamma every so many epochs",
            {"every": number("epochs", 1), "gamma": number("factor", 0, 1)},
        ),
        "exponential": ("times gamma every epoch", {"gamma": number("factor", 0, 1)}),
        "cosine": ("down half a cosine", {"final": number("share of the rate at the end", 0, 1)}),
    },
    "success": {
        "midpoint": ("each output on its target's side of the middle", {}),
        "tolerance": ("each output near its target", {"within": number("how near", above=0)}),
        "fahlman": ("40-20-40: outer 40 % on the target's side (Fahlman 1988)", {}),
    },
    "stop": {
        "never": ("train all epochs", {}),
        "solved": ("when every example is right", {}),
        "loss": ("when the loss is low enough", {"below": number("the loss", above=0)}),
    },
    "film": {
        "panels": ("field, loss, hidden space, network, outputs", _film),
        "field": ("the decision field alone", _film),
        "sweep": ("all runs of a sweep side by side", _film),
        "losses": ("loss curves", _film),
        "weights": ("the path of the parameters", _film),
        "none": ("no film", {}),
    },
}

PLAIN_GROUPS: dict[str, Keys] = {"track": TRACK}

LAUNCHER: Keys = {
    "engine": one_of("where runs are trained: in this process, in others here, on a Dask cluster", *ENGINES),
    "workers": whole("processes of loky; null for as many as there are cores", 1, 10_000, none=True),
    "address": text("of dask's scheduler, as in tcp://127.0.0.1:8786", none=True),
}
"""What a sweep is trained on: hydra.launcher.engine and the others."""


def keys_of(group: str, option: str) -> Keys:
    """The keys that belong to an option of a group."""
    return GROUPS[group][option][1]


def dotted_keys() -> list[str]:
    """Every key of every option, as in optimizer.momentum."""
    options = [(group, keys) for group, table in GROUPS.items() for _, keys in table.values()]
    return [f"{group}.{key}" for group, keys in [*PLAIN_GROUPS.items(), *options] for key in keys]


def find(config: dict[str, Any], key: str) -> Setting | None:
    """The setting behind a dotted key, for the options this config has chosen."""
    group, dot, name = key.partition(".")
    if not dot:
        return TOP.get(group)
    if group in PLAIN_GROUPS:
        return PLAIN_GROUPS[group].get(name)
    option = config.get(group, {}).get("name")
    return keys_of(group, option).get(name) if group in GROUPS and option in GROUPS[group] else None


def may_vary(key: str) -> bool:
    """Whether a dotted key may differ inside a population, whatever option has it."""
    group, dot, name = key.partition(".")
    if not dot:
        return group in TOP and TOP[group].varies
    found = [keys[name] for _, keys in GROUPS.get(group, {}).values() if name in keys]
    return bool(found) and all(setting.varies for setting in found)
