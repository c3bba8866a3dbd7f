def buck_filegroup(**kwargs):
    native.filegroup(**kwargs)
