"""What int8 leaves of a number, so that training can see it before it ships.

What is rounded has no slope. The gradient goes through as if nothing had been rounded (Bengio et al. 2013).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_WEIGHT_STEPS = 64
"""On each side of zero: 7 bits, for without VNNI products of full-range weights overflow their 16-bit sums."""
_ROW_STEPS = 127
_ACTIVATION_STEPS = 255


class RoundedLinear(nn.Linear):
    """A linear layer that, while ``rounded`` is set, calculates as its int8 self does.

    Weights have one scale an output, activations (n, tokens, width) one a turn.
    """

    rounded = False

    def forward(self, activations: Tensor) -> Tensor:
        if not self.rounded:
            return super().forward(activations)
        scale = _weight_scale(self.weight)
        return F.linear(_as_bytes(activations), _to_steps(self.weight, scale), self.bias)


def make_rounded(network: nn.Module) -> None:
    """Turn each linear layer of ``network`` into one that can round; its weights stay the same tensors."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Linear:
                linear = RoundedLinear(child.in_features, child.out_features, device="meta")
                linear.weight, linear.bias = child.weight, child.bias
                setattr(module, name, linear)


def set_rounded(network: nn.Module, rounded: bool) -> None:
    """Whether the layers of `make_rounded` round from now on."""
    for module in network.modules():
        if isinstance(module, RoundedLinear):
            module.rounded = rounded


def in_steps(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A layer's weight (outputs, inputs) as int8, and each output's scale (outputs, 1)."""
    scale = _weight_scale(weight)
    return (weight / scale).round().to(torch.int8), scale


def in_bytes(table: Tensor) -> tuple[Tensor, Tensor]:
    """A table (rows, width) as int8, and each row's scale (rows, 1): their product is nearly the table."""
    scales = table.abs().amax(dim=1, keepdim=True).clamp(min=1e-9) / _ROW_STEPS
    return (table / scales).round().to(torch.int8), scales


def _weight_scale(weight: Tensor) -> Tensor:
    return weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-9) / _WEIGHT_STEPS


def _as_bytes(activations: Tensor) -> Tensor:
    dims = tuple(range(1, activations.dim()))
    lowest = activations.detach().float().amin(dim=dims, keepdim=True).clamp(max=0.0)
    highest = activations.detach().float().amax(dim=dims, keepdim=True).clamp(min=0.0)
    return _to_steps(activations, ((highest - lowest) / _ACTIVATION_STEPS).clamp(min=1e-9))


def _to_steps(values: Tensor, scale: Tensor) -> Tensor:
    return values + ((values / scale).round() * scale - values).detach()
