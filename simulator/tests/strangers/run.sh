#!/bin/sh
# Lets programs written by others, against the real HubSpot, read a simulated portal to its end and
# compares what they got with the portal's truth. Opt-in: it installs them from PyPI into a venv.
# Usage: run.sh SIMULATOR_BINARY [WORK_FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
simulator=$1
work=${2:-$(mktemp -d)}
mkdir -p "$work"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install 'hubspot-api-client==12.0.0' 'meltano-tap-hubspot==0.10.1'
"$simulator" --contacts 400 > "$work/address" &
portal=$!
trap 'kill "$portal"' EXIT
tries=0
until grep -q listening "$work/address"; do
  tries=$((tries + 1))
  [ "$tries" -lt 50 ] || { echo "the simulator did not start" >&2; exit 1; }
  sleep 0.1
done
base=$(sed 's/listening on //' "$work/address")
"$work/venv/bin/python" "$here/official_client.py" "$base"
"$work/venv/bin/python" "$here/meltano_tap.py" "$base" "$work"
