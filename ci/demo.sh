#!/usr/bin/env bash
# From nothing to a signed disk image of a real distribution that boots with /usr on dm-verity:
#   ci/demo.sh [--all]
# Without an option the flatcar layout is shown; --all shows the discoverable one too.
# Safe to run again; what was downloaded is kept in build/cache.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

layouts=(flatcar)
case ${1:-} in
'') ;;
--all) layouts+=(discoverable) ;;
*) die "usage: ci/demo.sh [--all]" ;;
esac
demo=$top/build/demo
ingot=$top/build/release/ingot

say "1. The packages that this needs"
"$top/ci/deps.sh" demo

say "2. The program"
(cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release | tail -n 1)

say "3. A Debian 13 tree: kernel, systemd, dracut, ssh (the first time takes a minute or two)"
tree=$("$top/ci/tree.sh" full 2>"$top/build/tree.log") ||
	die "no tree: $(tail -n 5 "$top/build/tree.log")"
mkdir -p "$demo"
ln -sf "$tree" "$demo/tree.tar"
ls -lh "$(readlink -f "$tree")"

say "4. Test keys"
[ -d "$demo/keys" ] || "$top/signing/make-test-keys.sh" "$demo/keys"
ls "$demo/keys"

say "5. A tree with secrets in it is refused"
cp "$top"/docs/examples/*.yaml "$demo/"
sed '/^exclude:/,/^boot:/{/^boot:/!d}' "$demo/flatcar.yaml" >"$demo/with-secrets.yaml"
if "$ingot" build "$demo/with-secrets.yaml" --output "$demo/with-secrets"; then
	die "the tree's SSH host keys went into an image"
fi

for layout in "${layouts[@]}"; do
	say "6. ingot build $layout.yaml"
	"$ingot" build "$demo/$layout.yaml" --output "$demo/$layout"
	"$ingot" inspect "$demo/$layout/demo-1.raw"
	say "7. What others say about it"
	"$top/tests/boot/check-image.sh" "$demo/$layout/demo-1.raw" "$demo/$layout/demo-1.manifest.json"
done

for layout in "${layouts[@]}"; do
	say "8. Boot $layout (a minute or two under emulation)"
	image=$demo/$layout/demo-1.raw
	log=$demo/$layout/serial.log
	"$top/tests/boot/boot.sh" "$image" --timeout 600 --log "$log" ||
		die "it does not boot; the end of $log: $(tail -n 20 "$log")"
	printf 'The guest says:\n'
	tr -d '\r' <"$log" | sed -n 's/^proof: /    /p'
	"$top/tests/boot/check-proof.sh" "$log" "$demo/$layout/demo-1.manifest.json"
done
say "Done. The images: $(printf "$demo/%s/demo-1.raw " "${layouts[@]}")"
