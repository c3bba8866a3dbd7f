# What a value is, by name; stands in for `type_defs.bzl` where it is not on disk.

def is_bool(value):
    return type(value) == type(True)

def is_collection(value):
    return type(value) in (type([]), type(()), type({}))

def is_dict(value):
    return type(value) == type({})

def is_function(value):
    return type(value) == "function"

def is_list(value):
    return type(value) == type([])

def is_number(value):
    return type(value) in (type(0), type(0.0))

def is_select(value):
    return type(value) == type(select({}))

def is_string(value):
    return type(value) == type("")

def is_struct(value):
    return type(value) == type(struct())

def is_tuple(value):
    return type(value) == type(())

def is_unicode(value):
    return is_string(value)
