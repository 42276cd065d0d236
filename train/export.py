"""Starts the program `export`: python -m train.export --help"""

from darts_tf.cli.scripts import export

if __name__ == "__main__":
    export()
