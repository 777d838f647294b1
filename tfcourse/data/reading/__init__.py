"""What a column of a table is: decided from evidence, kept as a value object, and turned into numbers by it alone.

A table as it was read is a ``pyarrow.Table`` in which nothing is interpreted. :mod:`.decide` looks at each column and
gives its :class:`~.reading.Reading`; :mod:`.decode` turns columns into arrays by it, in training and ever after.
"""
