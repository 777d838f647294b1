"""The search: an oracle that draws trials, tuners that train them."""
