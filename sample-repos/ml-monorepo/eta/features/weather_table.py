"""Rainy days a month, from the climate normals 1991-2020."""

RAIN_DAYS = {
    "bergen": [20, 17, 17, 14, 13, 13, 15, 17, 19, 20, 20, 21],
    "porto": [12, 10, 10, 11, 9, 6, 3, 4, 6, 11, 12, 13],
    "split": [9, 8, 8, 9, 8, 7, 4, 4, 7, 8, 11, 11],
}

SOURCE = "climate normals"

for _city, _days in RAIN_DAYS.items():
    assert len(_days) == 12, _city
