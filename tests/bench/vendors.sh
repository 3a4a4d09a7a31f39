#!/bin/bash
# What nine more vendors cost: builds of the same tree for one vendor and for ten, in turn, in memory.
# Prints medians of the wall-clock time and of the processor time, peak memory and the ratios;
# nothing fails because it is slow.
#
# usage: vendors.sh INGOT [TREE [RUNS]]
#
# Without a tree (a folder or a tar), the Debian 12 tree of ci/tree.sh is measured. $ONE and $TEN are
# the vendors, $LEVELS the levels of compression. The manifest has no digests of the outputs; with
# DIGESTS=true, which is what a recipe has by default, SHA-256 of every byte of them is measured as well.
# With WARM=9G that much memory is filled and given back before each build: a virtual machine whose host
# takes free pages away pays for having them back, and ten vendors need more of them.
set -euo pipefail
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)

ingot=$(realpath "${1:?usage: vendors.sh INGOT [TREE [RUNS]]}")
tree=${2:+$(realpath "$2")}
runs=${3:-3}
one=${ONE:-openstack}
ten=${TEN:-openstack, ami, azure, gce, qemu, vmware, virtualbox, hyperv, proxmoxve, nutanix}
work=$(mktemp -d "${TMPDIR:-/dev/shm}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
[ -n "$tree" ] || tree=$("$top/ci/tree.sh" bench)

# recipe NAME LEVEL OUTPUTS
recipe() {
	cat >"$work/$1.yaml" <<-RECIPE
		name: bench
		version: "1"
		architecture: x86-64
		epoch: 1767225600
		layout: flatcar
		tree: $tree
		exclude: [etc/ssh/ssh_host_*, etc/machine-id, var/lib/dbus/machine-id, "dev/*"]
		manifest: {digests: ${DIGESTS:-false}}
		level: $2
		outputs: [$3]
	RECIPE
}

measure() { # NAME
	[ -z "${WARM:-}" ] || head -c "$WARM" /dev/zero >"$work/fill"
	rm -f "$work/fill"
	/usr/bin/time -f '%e %U %S %M' -o "$work/time" "$ingot" build "$work/$1.yaml" \
		--output "$work/out" --quiet
	awk '{ print $1, $2 + $3, $4 }' "$work/time" >>"$work/$1.times"
	rm -rf "$work/out"
}

# median NAME COLUMN
median() { awk -v c="$2" '{ print $c }' "$work/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

ratio() { # COLUMN
	awk -v a="$(median ten "$1")" -v b="$(median one "$1")" 'BEGIN { printf "%.2f", a / b }'
}

for level in ${LEVELS:-1 5}; do
	recipe one "$level" "$one"
	recipe ten "$level" "$ten"
	rm -f "$work"/*.times
	for ((i = 0; i < runs; i++)); do
		measure one
		measure ten
	done
	for name in one ten; do
		printf 'level %s, %s: %6s s, %6s s of processors, %d MiB\n' "$level" "$name" \
			"$(median $name 1)" "$(median $name 2)" $(($(median $name 3) / 1024))
	done
	printf 'level %s: ten vendors take %s times as long as one (%s times in processor time)\n' "$level" \
		"$(ratio 1)" "$(ratio 2)"
done
