"""What of a tuning is kept by the epoch, so that it goes on where it was cut off with the very same steps."""

from pathlib import Path

import torch

from models.training.network import TunedNetwork


def finished(checkpoint: Path, epochs: int, network: TunedNetwork) -> bool:
    """Whether tuning was done before: then ``network`` is what came of it."""
    if not checkpoint.exists():
        return False
    state = torch.load(checkpoint, weights_only=True)
    if state["epoch"] < epochs:
        return False
    network.load_state_dict(state["network"])
    network.eval()
    return True


def save(checkpoint: Path, epoch: int, network: TunedNetwork, *others: object) -> None:
    """After ``epoch`` epochs: the network, and ``others``: optimizer, schedule and the generator that shuffles."""
    optimizer, schedule, generator = others
    state = {
        "epoch": epoch,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),  # type: ignore[attr-defined]
        "schedule": schedule.state_dict(),  # type: ignore[attr-defined]
        "shuffling": generator.get_state(),  # type: ignore[attr-defined]
        "dropout": torch.get_rng_state(),
    }
    save_whole(state, checkpoint)


def save_whole(state: object, path: Path) -> None:
    """Save for `torch.load`; ``path`` is there whole or not at all, whenever this is cut off."""
    written = path.with_suffix(".part")
    torch.save(state, written)
    written.replace(path)


def resume(
    checkpoint: Path,
    network: TunedNetwork,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    generator: torch.Generator,
) -> int:
    """Epochs done already; 0 where there is no checkpoint."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    generator.set_state(state["shuffling"])
    torch.set_rng_state(state["dropout"])
    return int(state["epoch"])
