# shellcheck shell=bash
# What the scripts of this folder share. Source it after `set -euo pipefail`.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export cache=${INGOT_CACHE:-$top/build/cache}
export PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '\n== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# Tests write much, and outputs are synced: in memory that costs nothing. Disks are sparse, so 8 GB are
# plenty.
in_memory() {
	local free
	free=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1) || return 0
	[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || [ "$free" -lt 8000000 ] ||
		export TMPDIR=/dev/shm
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# The mirror that apt uses here for the first of these suites that it knows, or nothing.
apt_mirror() {
	local suite site
	for suite in "$@"; do
		site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' \
			"Codename: $suite" | head -n 1)
		[ -z "$site" ] || break
	done
	printf '%s\n' "$site"
}
