"""The plane in which a film shows what the last layer receives, and the last layer as a network over that plane.

With one output and more than two hidden units, the plane turns with the weights of the output: its first axis is along
them, so the boundary separates the examples in every frame exactly as the network does.
"""

from dataclasses import dataclass, replace

import numpy as np

from xortrain.films.colour_scale import ColourScale
from xortrain.films.data import FilmData, Frame, RunFrames
from xortrain.films.heatmap import activation_range
from xortrain.films.projection import Projection, Slice, project_curve, project_plane, project_slices
from xortrain.nets import Array
from xortrain.nets.network import Layer, Network

SAMPLES = 12  # frames that determine the part of the space that is shown


@dataclass(frozen=True)
class HiddenPlane:
    """``head`` is the network over the plane.

    A plane that turns goes through ``centre`` (units,); its second direction is nearest to ``beside`` (units,).
    """

    last: Network
    """The last layer."""
    head: Network
    projection: Projection
    beside: Array | None = None
    centre: Array | None = None

    @property
    def turns(self) -> bool:
        """Whether the first axis is along the weights of each frame."""
        return self.beside is not None

    def parameters(self, theta: Array) -> Array:
        """The parameters (…, parameters) of ``head`` for all parameters θ (…, parameters) of the network."""
        theta = theta[..., -self.last.size :]
        if not self.turns:
            return theta
        size = np.linalg.norm(_weights(self.last, theta), axis=-1)[..., None]
        shares = [size] if self.last.outputs == 1 else [-size / 2, size / 2]
        return np.concatenate([*shares, theta[..., self.last.inputs * self.last.outputs :]], axis=-1)

    def coordinates(self, received: Array, theta: Array) -> tuple[Array, Array]:
        """(u, v) of points (units, …), for all parameters θ (parameters,) of the network."""
        if self.projection.is_curve:
            return received[0], np.zeros_like(received[0])
        points, one = np.moveaxis(received, 0, -1), self.projection.slices[0]
        if self.beside is None:
            return (points - one.origin) @ one.across, (points - one.origin) @ one.up
        across, up = _turned(_weights(self.last, theta[-self.last.size :]), self.beside)
        return points @ across, (points - self.centre) @ up


def hidden_plane(run: RunFrames, scale: ColourScale) -> HiddenPlane:
    """The plane of the last hidden layer that a film of this run shows, or the curve for a single unit."""
    frames = run.sample(np.arange(len(run.data.frame_epochs)), SAMPLES)
    frames = [frame for frame in frames if not scale.is_off_scale(frame.y)] or frames[:1]
    parts = [received(run, frame) for frame in frames]
    network, data = run.data.network, run.data
    last = Network(network.fan_in[-1], network.layers[-1:], network.bias)
    points = np.concatenate(parts)
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        points = np.zeros((2, last.inputs))
    if points.shape[1] == 1:
        return HiddenPlane(last, last, project_output(points[:, 0], "h1", data))
    if points.shape[1] > 2:
        return _turning(last, frames, parts, data) if _is_ruled(last) else _fixed(last, frames, points, data, scale)
    known = activation_range(network.layers[-2])
    corners = points if known is None else np.repeat(np.array(known)[:, None], 2, axis=1)
    across, up = np.eye(2)
    one = Slice(np.zeros(2), across, up, "", np.arange(len(run.x)))
    return HiddenPlane(last, last, project_slices(corners, (one,), ("h1", "h2"), 0.07))


def received(run: RunFrames, frame: Frame) -> Array:
    """What the last layer receives for the examples: (examples, units)."""
    hidden = frame.layers[-2]
    return np.concatenate([hidden, run.received], axis=1) if run.network.skip else hidden


def project_output(u: Array, name: str, data: FilmData) -> Projection:
    """The output over u (n,), with 0 among its ticks if that is between the targets."""
    height = np.full(len(u), np.clip(0, data.low, data.high))
    return project_curve(u, height, name, data.outputs[0], data.low, data.high)


def _is_ruled(last: Network) -> bool:
    """Whether what is shown of the outputs depends on one weighted sum."""
    return last.outputs == 1 or (last.outputs == 2 and last.layers[0].activation == "softmax")


def _weights(last: Network, theta: Array) -> Array:
    """The weights (…, units) of the sum on which the outputs depend, for θ (…, parameters) of the last layer."""
    rows = theta[..., : last.inputs * last.outputs].reshape(*theta.shape[:-1], last.outputs, last.inputs)
    return np.asarray(rows[..., 0, :] if last.outputs == 1 else rows[..., 1, :] - rows[..., 0, :])


def _turned(weights: Array, beside: Array) -> tuple[Array, Array]:
    """Two orthonormal directions (units,): along the weights, and the nearest to ``beside``."""
    size = np.linalg.norm(weights)
    across = np.nan_to_num(weights / size if 0 < size < np.inf else np.roll(beside, 1))
    up = beside - (beside @ across) * across
    return across, up / (np.linalg.norm(up) or 1.0)


def _turning(last: Network, frames: list[Frame], parts: list[Array], data: FilmData) -> HiddenPlane:
    """The plane that turns with the weights; beside them it shows the direction of the largest spread."""
    points = np.nan_to_num(np.concatenate(parts), posinf=0, neginf=0)
    mean = points.mean(0)
    final = np.nan_to_num(_weights(last, frames[-1].theta[-last.size :]), posinf=0, neginf=0)
    along = final / (np.linalg.norm(final) or 1.0)
    rest = (points - mean) - np.outer((points - mean) @ along, along)
    beside = np.linalg.svd(rest, full_matrices=False)[2][0]
    layer = last.layers[0]
    head = Network(1, (Layer(last.outputs, layer.activation, layer.settings),), last.bias)
    name = data.outputs[0] if last.outputs == 1 else data.outputs[-1]
    plane = HiddenPlane(last, head, project_plane(points, mean, along, beside, ("", "")), beside, mean)
    each = [np.stack(plane.coordinates(part.T, frame.theta), axis=1) for part, frame in zip(parts, frames, strict=True)]
    places = np.concatenate(each)
    known = np.isfinite(places).all(1)
    places = places[known] if known.any() else np.zeros((1, 2))
    one = Slice(np.zeros(1), np.ones(1), np.zeros(1), "", np.arange(len(places)))
    found = project_slices(places, (one,), (f"along {name}'s weights", "widest across it"), 0.1)
    return replace(plane, projection=replace(found, ticks=(np.zeros(0), np.zeros(0))))


def _fixed(last: Network, frames: list[Frame], points: Array, data: FilmData, scale: ColourScale) -> HiddenPlane:
    """A plane along the last weights of the outputs."""
    weights = np.nan_to_num(last.split(frames[-1].theta[-last.size :])["W1"])
    chosen = (weights, data.outputs[-1]) if scale.one_hot else (weights[:1], data.outputs[0])
    return HiddenPlane(last, last, plane_of_weights(points, *chosen))


def plane_of_weights(points: Array, weights: Array, output: str) -> Projection:
    """A plane through points (n, units) along the weights (outputs, units) of the last layer.

    With one output, the first axis is along its weights, the second is the principal axis of what remains. With more,
    the axes are the two principal axes of their weights, along which the outputs differ most.
    """
    mean = points.mean(0)
    spread = np.linalg.svd(points - mean, full_matrices=False)[2]
    differences = weights - weights.mean(0) if len(weights) > 1 else weights
    sought = np.linalg.svd(differences, full_matrices=False)[2][: max(1, len(weights) - 1)]
    sought = sought * np.sign((sought @ differences[-1]) + 1e-12)[:, None]
    wanted = np.concatenate([sought, spread])
    axes = np.linalg.qr(wanted[: points.shape[1]].T)[0].T[:2]
    axes *= np.sign((axes * wanted[:2]).sum(1) + 1e-12)[:, None]
    one = f"along {output}'s weights", "widest across it"
    names = one if len(sought) == 1 else ("separates classes best", "second best")
    return project_plane(points, mean, axes[0], axes[1], names, 0.1)
