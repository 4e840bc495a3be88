"""Is a map true, and a probability? From arrays and functions alone."""

from sk_erts.metrics._calibration import expected_calibration_error
from sk_erts.metrics._comprehensiveness import comprehensiveness
from sk_erts.metrics._curve_area import curve_area
from sk_erts.metrics._deletion import deletion_curve
from sk_erts.metrics._evaluate import evaluate_explanations
from sk_erts.metrics._evidence_enrichment import evidence_enrichment
from sk_erts.metrics._evidence_mass import evidence_mass
from sk_erts.metrics._faithfulness import faithfulness
from sk_erts.metrics._insertion import insertion_curve
from sk_erts.metrics._map_agreement import map_agreement
from sk_erts.metrics._max_sensitivity import max_sensitivity
from sk_erts.metrics._pointing_game import pointing_game
from sk_erts.metrics._risk_coverage import risk_coverage
from sk_erts.metrics._subset_accuracy import subset_accuracy
from sk_erts.metrics._sufficiency import sufficiency
from sk_erts.metrics._survives_randomisation import survives_randomisation

__all__ = [
    "comprehensiveness",
    "curve_area",
    "deletion_curve",
    "evaluate_explanations",
    "evidence_enrichment",
    "evidence_mass",
    "expected_calibration_error",
    "faithfulness",
    "insertion_curve",
    "map_agreement",
    "max_sensitivity",
    "pointing_game",
    "risk_coverage",
    "subset_accuracy",
    "sufficiency",
    "survives_randomisation",
]
