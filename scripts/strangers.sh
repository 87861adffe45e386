#!/usr/bin/env bash
# Programs that people wrote against the real HubSpot read a simulated portal to its end; what they got
# must be the portal's truth. A fuzzer looks for server errors. Opt-in, because it installs them.
# Usage: scripts/strangers.sh [SIMULATOR_BINARY]
# Installs, by name and version, into target/strangers; a second run installs nothing.
# Exit code 3: a tool or the installation is missing; nothing was judged.
set -uo pipefail
cd "$(dirname "$0")/.."
here=$PWD/simulator/tests/strangers
work=$PWD/target/strangers
simulator=${1:-$PWD/target/debug/hubspot-simulator}
export PYTHONDONTWRITEBYTECODE=1 # no caches beside the sources
mkdir -p "$work/logs"

missing() { echo "strangers: $*" >&2; exit 3; }
for tool in python3 node npm; do command -v "$tool" >/dev/null || missing "$tool is not installed"; done
[ -x "$simulator" ] || missing "no simulator at $simulator: cargo build -p hubspot-simulator"

# The two Singer taps need different versions of the same libraries and have one name: an environment each.
python_environment() { # folder, packages
    local folder=$work/$1; shift
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$*" ] && return
    rm -rf "$folder"
    python3 -m venv "$folder" && "$folder/bin/pip" --disable-pip-version-check -q install "$@" && echo "$*" >"$folder/installed"
}
node_packages() {
    local folder=$work/node
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$*" ] && return
    mkdir -p "$folder" && echo '{"private":true}' >"$folder/package.json"
    npm --prefix "$folder" install --silent --no-audit --no-fund --no-package-lock "$@" && echo "$*" >"$folder/installed"
}
python_environment new hubspot-api-client==12.0.0 meltano-tap-hubspot==0.10.1 schemathesis==4.32.5 & new=$!
python_environment old tap-hubspot==4.5.0 singer-python==5.15.0 & old=$!
node_packages @hubspot/api-client@13.5.0 & npm=$!
for installing in $new $old $npm; do wait "$installing" || missing "an installation failed"; done

# Each stranger gets a portal of its own, so that none sees what another wrote.
visit() { # name, command that takes the portal's address as its last argument
    local name=$1; shift
    local log=$work/logs/$name address=$work/logs/$name.address portal verdict tries properties=200
    [ "$name" = meltano_tap ] && properties=0 # its search would be too long, see there
    "$simulator" --contacts 300 --extra-properties $properties >"$address" & portal=$!
    for tries in $(seq 100); do grep -q listening "$address" && break; sleep 0.1; done
    timeout 280 "$@" "$(sed 's/listening on //' "$address")" >"$log" 2>&1
    verdict=$?
    kill "$portal"; wait "$portal" 2>/dev/null
    if [ $verdict = 0 ]; then echo "$name: ok ($(wc -l <"$log") checks)"; else echo "$name: FAILED ($verdict), see $log"; tail -n 25 "$log"; fi
    return $verdict
}
new_python() { "$work/new/bin/python" "$here/$1" "$2" "$work"; }
old_python() { "$work/old/bin/python" "$here/$1" "$2" "$work"; }
python_client() { new_python official_client.py "$1"; }
meltano_tap() { new_python meltano_tap.py "$1"; }
older_tap() { old_python older_tap.py "$1"; }
node_client() { node "$here/node_client.mjs" "$1" "$work/node"; }
fuzzer() {
    "$work/new/bin/python" "$here/describe.py" "$1" >"$work/description.json" &&
    cd "$work" && "$work/new/bin/schemathesis" run "$work/description.json" --url "$1" --seed 1 --workers 1 --phases coverage,fuzzing --max-examples 10 \
        --header "Authorization: Bearer pat-na1-51300000-0000-4000-8000-000000000001" --suppress-health-check all \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
}
export here work
export -f new_python old_python python_client meltano_tap older_tap node_client fuzzer

failed=0
running=()
for stranger in fuzzer python_client node_client meltano_tap older_tap; do
    visit "$stranger" bash -c "$stranger"' "$0"' & running+=($!)
done
for one in "${running[@]}"; do wait "$one" || failed=1; done
exit $failed
