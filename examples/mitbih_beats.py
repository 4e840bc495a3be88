"""Does a network that has seen the beats of some people know those of others?

MIT-BIH, single beats. Those of one person look alike: a test on beats of the same
people would flatter the network, so whole patients are set aside.

    SK_ERTS_DATA=<folder above mitbih> python examples/mitbih_beats.py
"""

import numpy as np
from _stand_in import folder_of
from sklearn.metrics import classification_report
from sklearn.model_selection import GroupShuffleSplit

from sk_erts import ERTSClassifier
from sk_erts.datasets import load_mitbih
from sk_erts.models import ResNet1d

beats = load_mitbih(folder_of("mitbih"), window_s=(0.25, 0.45))
print(f"{len(beats.data)} beats of {len(set(beats.groups))} patients")

# Ventricular beats or not: the other classes are rare in most patients.
y = np.where(beats.target == "V", "ventricular", "other")
split = GroupShuffleSplit(1, test_size=0.4, random_state=0)
train, test = next(split.split(beats.data, y, beats.groups))
train, test = train[::4], test[::4]  # every fourth beat: the rest looks the same

clf = ERTSClassifier(
    module=ResNet1d,
    module__width=8,
    module__blocks=(1, 1, 1),
    max_epochs=8,
    class_weight="effective",
    lr=3e-3,
    random_state=0,
    verbose=0,
).fit(beats.data[train], y[train])
print(f"effective epochs: {clf.effective_epochs_:.1f} of {clf.max_epochs}")

# Most beats are not ventricular: look at what is found of those that are (recall), and
# how many of the alarms are true (precision), not at the accuracy.
print(classification_report(y[test], clf.predict(beats.data[test]), zero_division=0))
