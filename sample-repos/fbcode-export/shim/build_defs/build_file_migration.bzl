def fbcode_target(_kind, **kwargs):
    _kind(**kwargs)

def non_fbcode_target(_kind, **kwargs):
    pass
