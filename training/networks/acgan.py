"""Train an ACGAN (paper 3.3, Odena et al. 2017): one network for all classes.

The generator is the DCGAN's with the class joined to z; the discriminator is the DCGAN's with a
head besides that names the class, and so it is a classifier too (paper 4.5).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.data.datasets import Labelled
from training.networks import gan
from training.networks.architectures import Discriminator, Generator
from training.networks.training_log import TrainingLog
from training.seeds import derive
from training.settings import GanSettings

_READ_BATCH = 512


def train(
    data: Labelled,
    settings: GanSettings,
    *,
    seed: int,
    log: TrainingLog,
    picture: Callable[[Generator], None] | None = None,
) -> gan.TrainedGan:
    """Train on all classes and return both networks.

    Batch normalization's statistics are a mixture of real and synthetic images' in training. The
    discriminator's are measured anew on real ones alone, which it is to classify.
    """
    pair = gan.train_adversarial(
        data, settings, labels="named", seed=seed, log=log, picture=picture
    )
    torch.manual_seed(derive(seed, "settle discriminator"))
    order = torch.randperm(len(data.images), device=data.images.device)
    with gan.batchnorm_statistics(pair.discriminator), torch.no_grad():
        for batch in order.split(settings.batch):
            pair.discriminator(_rescaled(data.images[batch]))
    return pair


@torch.no_grad()
def classify(discriminator: Discriminator, images: Tensor) -> Tensor:
    """Images [n, 64, 64] in (0, 1) -> logits of the classes [n, c], float32 on the CPU."""
    parts = images.float().split(_READ_BATCH)
    logits = [discriminator.classify(discriminator.maps(_rescaled(part))) for part in parts]
    return torch.cat(logits).cpu()


def _rescaled(images: Tensor) -> Tensor:
    """Rescale images from (0, 1) to (-1, 1), as one channel."""
    return (images * 2 - 1).unsqueeze(1)
