#!/bin/sh
# Nightly job: retrain on new trips, evaluate, and publish the audit bundle.
set -eu

buck2 run //eta/data:ingest -- --format csv "$TRIPS" > trips.jsonl
buck2 run //eta/training:train -- --preset nightly --out "file://$MODELS/latest" trips.jsonl
buck2 run //eta/training:evaluate -- "file://$MODELS/latest" trips.jsonl
# Nothing in the graph needs the bundle; the auditors fetch it from here.
buck2 build //eta/tools:audit_bundle --out "${OUT:-audit.tar}"
