"""Changes to training records that leave their diagnosis as it is."""

from sk_erts.augmentation._amplitude import ScaleAmplitude
from sk_erts.augmentation._augmentation import Augmentation
from sk_erts.augmentation._lead_dropout import LeadDropout
from sk_erts.augmentation._noise import AddNoise
from sk_erts.augmentation._random_crop import RandomCrop
from sk_erts.augmentation._time_shift import TimeShift
from sk_erts.augmentation._wander import AddWander

__all__ = [
    "AddNoise",
    "AddWander",
    "Augmentation",
    "LeadDropout",
    "RandomCrop",
    "ScaleAmplitude",
    "TimeShift",
]
