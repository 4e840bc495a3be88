"""How good is the signal of a record? Measures that need no label and no network."""

from sk_erts.quality._baseline import baseline_wander
from sk_erts.quality._contrast import noise_to_peak
from sk_erts.quality._flat import flat_share
from sk_erts.quality._floor import high_frequency_floor, noise_burst, noisiest_second
from sk_erts.quality._limb_leads import limb_disagreement
from sk_erts.quality._motion import motion_burst
from sk_erts.quality._no_beats import no_beats
from sk_erts.quality._signal_quality import SignalQuality, signal_quality

__all__ = [
    "SignalQuality",
    "baseline_wander",
    "flat_share",
    "high_frequency_floor",
    "limb_disagreement",
    "motion_burst",
    "no_beats",
    "noise_burst",
    "noise_to_peak",
    "noisiest_second",
    "signal_quality",
]
