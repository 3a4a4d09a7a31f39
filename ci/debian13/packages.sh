#!/usr/bin/env bash
# mmdebstrap's customize hook of `ci/tree.sh debian13`: packages.sh ROOT
# ci/deps.sh itself says what is installed, as on any machine that builds the program.
set -euo pipefail
ci=$(cd "$(dirname "$0")/.." && pwd)
root=$1

mkdir "$root/ci"
cp "$ci/deps.sh" "$ci/common.sh" "$root/ci/"
chroot "$root" /ci/deps.sh test
rm -r "$root/ci"
