"""Networks as data (specs) and as Keras models (builders, hypermodels)."""
