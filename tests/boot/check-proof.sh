#!/usr/bin/env bash
# Does the guest's device-mapper table name the root hash of the manifest? check-proof.sh LOG MANIFEST
set -euo pipefail
root_hash=$(jq -re .usr.root_hash "$2")
# The table's words: 0 SECTORS verity VERSION DATA HASH BLOCK BLOCK BLOCKS START ALGORITHM ROOT SALT
seen=$(tr -d '\r' <"$1" | awk '$1 == "proof:" && $4 == "verity" { print $13; exit }')
if [ "$seen" != "$root_hash" ]; then
	printf 'check-proof: the guest has root hash %s, the manifest %s\n' "${seen:-none}" "$root_hash"
	exit 1
fi
printf 'proof: /usr in the guest is verified against the root hash of the manifest, %s\n' "$root_hash"
