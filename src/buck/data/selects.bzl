# Functions over values that may hold `select`; stands in for `selects.bzl` where it is not on disk.

def _apply(value, function):
    if type(value) != type(select({})):
        return function(value)
    return select_map(value, lambda inner: _apply(inner, function))

selects = struct(
    any = select_test,
    apply = _apply,
    tie_n_map = lambda values, function: [_apply(value, function) for value in values],
)
