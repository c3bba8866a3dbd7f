"""What every part of the ETA service shares."""

RELEASE = "2026.11"
