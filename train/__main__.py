"""Lists the programs: python -m train"""

from darts_tf.cli.__main__ import listing

print("Programs, of which pipeline is the one to begin with:\n")
print(listing("python -m train."))
