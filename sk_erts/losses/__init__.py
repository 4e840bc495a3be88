"""Losses for rare classes, one value per record: ``ERTSClassifier(criterion=...)``."""

from sk_erts.losses._asymmetric import AsymmetricLoss
from sk_erts.losses._focal import FocalLoss

__all__ = ["AsymmetricLoss", "FocalLoss"]
