import torch
from visionkit.models.labels import Labelled, names
from visionkit.ops.filters import resize

INPUT_SIZE = (224, 224)


class Classifier(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(INPUT_SIZE[0] * INPUT_SIZE[1] * 3, len(names()))

    def classify(self, image) -> Labelled:
        small = resize(image, INPUT_SIZE)
        scores = self.head(torch.from_numpy(small.pixels).float().flatten())
        return Labelled(names()[int(scores.argmax())], None)
