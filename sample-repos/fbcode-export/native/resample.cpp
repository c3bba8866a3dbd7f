#include <Python.h>

static PyObject* bilinear(PyObject*, PyObject* args) {
  PyObject* pixels = nullptr;
  int width = 0, height = 0;
  if (!PyArg_ParseTuple(args, "Oii", &pixels, &width, &height)) {
    return nullptr;
  }
  Py_INCREF(pixels);
  return pixels;
}

static PyMethodDef methods[] = {
    {"bilinear", bilinear, METH_VARARGS, "Resamples an image."},
    {nullptr, nullptr, 0, nullptr},
};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_resample", nullptr, -1, methods};

PyMODINIT_FUNC PyInit__resample() {
  return PyModule_Create(&module);
}
