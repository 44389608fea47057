#!/bin/sh
# Installs the packages of package-lock.json, and with them the Node.js that everything else runs under.
# Called by make, from the root of the checkout, when package.json or package-lock.json is newer than the last install.
set -eu

fail() {
  echo "$1" >&2
  exit 1
}

# make puts node_modules/.bin first in PATH; npm must not run under a Node.js that it is about to replace.
PATH=$(printf '%s' "$PATH" | sed "s|^$PWD/node_modules/.bin:||")

command -v node >/dev/null || fail 'Cannot install: "node" is missing. Install Node.js 20 or later with npm'
command -v npm >/dev/null || fail 'Cannot install: "npm" is missing. Install npm 10 or later'
node_major=$(node -p 'process.versions.node.split(".")[0]')
[ "$node_major" -ge 20 ] || fail "Cannot install: Node.js is $(node --version). Install Node.js 20 or later"
npm_major=$(npm --version 2>/dev/null | cut -d. -f1)
[ "$npm_major" -ge 10 ] || fail "Cannot install: npm is $(npm --version). Install npm 10 or later"

pinned=v$(node -p 'require("./package.json").dependencies.node')
have() { node_modules/.bin/node --version 2>/dev/null || echo none; }

# npm keeps a copy of the lock file of what it installed. Comparing versions costs nothing, "npm ci" half a minute.
is_installed() {
  node -e '
    const { packages: wanted } = require("./package-lock.json")
    const { packages: found } = require("./node_modules/.package-lock.json")
    for (const [path, { version, optional }] of Object.entries(wanted)) {
      if (path !== "" && found[path]?.version !== version && !(optional && found[path] === undefined)) process.exit(1)
    }
  ' 2>/dev/null
}

if ! is_installed; then
  [ "${CI:-}" ] || echo 'Installing packages (about half a minute, once)'
  # --ignore-scripts=false: two packages place a native program by a script, whatever this user's npm does by default.
  npm ci --loglevel=error --ignore-scripts=false >/dev/null
fi

# An npm that blocks install scripts by a policy of the machine leaves node_modules/node without its program.
if [ "$(have)" != "$pinned" ]; then
  (cd node_modules/node && node installArchSpecificPackage.js)
fi
[ "$(have)" = "$pinned" ] ||
  fail "Cannot install: node_modules/.bin/node is $(have), not $pinned. Remove node_modules and try again"
