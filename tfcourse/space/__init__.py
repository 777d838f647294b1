"""The search space as a value.

A :class:`Parameter` knows its scale and maps both ways between the unit interval and its values; a
:class:`SearchSpace` is an ordered tuple of them, some active only for certain values of an earlier one
(``momentum`` for ``optimizer = "sgd"``, ``units_3`` for three or more layers).
"""

from tfcourse.space.parameter import SCALES as SCALES
from tfcourse.space.parameter import Parameter as Parameter
from tfcourse.space.parameter import Value as Value
from tfcourse.space.round import Round as Round
from tfcourse.space.search_space import SearchSpace as SearchSpace
