import os
import unittest

import torch  # @manual=//caffe2:torch
from visionkit.models.classifier import Classifier
from visionkit.testing.helpers import blank


class ClassifierTest(unittest.TestCase):
    def test_names(self) -> None:
        self.assertTrue(os.path.exists(os.environ["NAMES"]))

    def test_classify(self) -> None:
        with torch.no_grad():
            self.assertIsNotNone(Classifier().classify(blank(224, 224)).name)
