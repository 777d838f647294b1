"""Names that files, specs and search spaces share: activations, optimizers, the mark of a diverged trial."""

ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid", "softplus", "linear")
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw")
DIVERGED = "diverged"
"""How the message of a trial begins that diverged."""
