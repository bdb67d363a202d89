#!/bin/sh
# The tests drive a real Chromium. As root on Debian it is installed; otherwise this says what to install.
set -eu
found=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -n "$found" ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Setting up: Chromium, by apt-get"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
    exit 0
fi
echo "The tests need Chromium. On Debian or Ubuntu: sudo apt-get install chromium" >&2
exit 2
