"""The course's formulas in NumPy, one file a topic: the judge in tests and the text for learners."""
