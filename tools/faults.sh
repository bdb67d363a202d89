#!/bin/sh
# What breaks disks and clocks for `make faults`. Whatever cannot be had here is said, and its trials count as not run.
set -eu
"$1"/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-faults.lock ||
    echo "libfaketime cannot be installed: trials with clocks that are off will not run." >&2
if [ -e /usr/lib/fiu/fiu_posix_preload.so ] || [ -e /usr/local/lib/fiu/fiu_posix_preload.so ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Setting up: libfiu, by apt-get"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends fiu-utils >/dev/null; } && exit 0
fi
echo "libfiu is missing: trials with disks that fail will not run. On Debian or Ubuntu: sudo apt-get install fiu-utils" >&2
