# What Bazel gives to every `.bzl` file, as far as it means something before targets are analysed.

def depset(direct = None, order = "default", transitive = None, items = None):
    found = {}
    for part in transitive or []:
        for item in part.to_list():
            found[item] = None
    for item in direct or items or []:
        found[item] = None
    elements = found.keys()
    return struct(to_list = lambda: elements)

def provider(doc = "", fields = None, init = None):
    def make(*args, **kwargs):
        return struct(**kwargs)

    return (make, make) if init else make

def macro(implementation, attrs = {}, inherit_attrs = None, finalizer = False, doc = ""):
    def call(name, visibility = None, **kwargs):
        for key, attribute in attrs.items():
            if kwargs.get(key) == None:
                kwargs[key] = default_of(attribute)
        implementation(name = name, visibility = visibility, **kwargs)

    return call

def _add(*dictionaries, **kwargs):
    sum = {}
    for dictionary in dictionaries:
        sum.update(dictionary)
    sum.update(kwargs)
    return sum

def _uniq(items):
    return {item: None for item in items}.keys()

def _with_or(branches, no_match_error = ""):
    return select(_with_or_dict(branches))

def _with_or_dict(branches):
    flat = {}
    for key, value in branches.items():
        for single in key if type(key) == type(()) else (key,):
            flat[single] = value
    return flat

# Of bazel_skylib, where it is not in the repository.
dicts = struct(add = _add, omit = lambda dictionary, keys: {k: v for k, v in dictionary.items() if k not in keys})
collections = struct(uniq = _uniq)
selects = struct(with_or = _with_or, with_or_dict = _with_or_dict, config_setting_group = lambda **kwargs: None)
types = struct(
    is_bool = lambda value: type(value) == "bool",
    is_dict = lambda value: type(value) == "dict",
    is_function = lambda value: type(value) == "function",
    is_int = lambda value: type(value) == "int",
    is_list = lambda value: type(value) == "list",
    is_none = lambda value: value == None,
    is_string = lambda value: type(value) == "string",
    is_tuple = lambda value: type(value) == "tuple",
)
