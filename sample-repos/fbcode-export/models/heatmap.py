from visionkit.models.labels import Labelled


def heat(found: list[Labelled]) -> int:
    return sum(label.box.area for label in found if label.box)
