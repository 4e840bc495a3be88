"""Where in the heartbeat, and in which lead, does a network look? Peaks and shares."""

from sk_erts.beats._average import beat_average
from sk_erts.beats._peaks import r_peaks
from sk_erts.beats._segment_means import segment_means
from sk_erts.beats._segments import SEGMENTS, beat_segments
from sk_erts.beats._shares import lead_shares, segment_shares

__all__ = [
    "SEGMENTS",
    "beat_average",
    "beat_segments",
    "lead_shares",
    "r_peaks",
    "segment_means",
    "segment_shares",
]
