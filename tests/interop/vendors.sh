#!/bin/bash
# The vendors of oem/: the documentation's table, the reports, a file of one's own.
#
# usage: vendors.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

# --- the data ---------------------------------------------------------------------------------

page() { "$ingot" vendors --markdown | diff "$source_dir/docs/vendors.md" -; }
check "docs/vendors.md is what the program prints" page

"$ingot" vendors --json >all.json
names() { jq -r '.vendors[].name' all.json; }
files() { (cd "$source_dir/oem" && printf '%s\n' *.yaml) | sed 's/\.yaml$//' | sort; }
check "every file of oem/ is built in, by its name" diff <(names) <(files)
for name in ami ami-vmdk azure gce openstack qemu libvirt kubevirt digitalocean hetzner akamai \
	scaleway exoscale vultr oraclecloud cloudstack cloudsigma proxmoxve nutanix stackit hyperv \
	vmware virtualbox vagrant parallels xen equinix-metal; do
	same() {
		diff <("$ingot" vendors "$name" --json) <(jq --arg n "$name" \
			'.vendors[] | select(.name == $n)' all.json) && "$ingot" vendors "$name" | grep -qx "Vendor: *$name"
	}
	check "$name: alone and in the list" same
done
listed() { [ "$("$ingot" vendors | tail -n +2 | awk '{ print $1 }')" = "$(names)" ]; }
check "the table has a line for each" listed

# --- a file of one's own ----------------------------------------------------------------------

cp "$source_dir/oem/azure.yaml" mine.yaml
by_path() { diff <("$ingot" vendors ./mine.yaml --json) <("$ingot" vendors azure --json); }
check "a copy of a built-in file is the same vendor" by_path
check "with .yaml at its end no / is needed" "$ingot" vendors mine.yaml

mistakes() {
	local got=0
	sed -i -e 's/^outputs:/output:/' -e 's/round: 1M/round: 100/' -e 's/- gpt/- gtp/' mine.yaml
	"$ingot" vendors mine.yaml >out.txt 2>err.txt || got=$?
	[ $got = 2 ] && [ ! -s out.txt ] && cat err.txt &&
		grep -q "^mine.yaml:[0-9]*:1: unknown key 'output', did you mean 'outputs'?" err.txt &&
		grep -q "^mine.yaml:2:1: key 'outputs' is missing" err.txt &&
		grep -q "^mine.yaml:[0-9]*:10: this is a multiple of 512" err.txt &&
		grep -q "^mine.yaml:[0-9]*:5: 'gtp' is not one of" err.txt
}
check "all mistakes at once, with line and column" mistakes
unknown() {
	local got=0
	"$ingot" vendors amy >out.txt 2>err.txt || got=$?
	[ $got = 2 ] && [ ! -s out.txt ] && [ "$(wc -l <err.txt)" = 1 ] && grep -q "'amy'" err.txt
}
check "an unknown vendor is one line" unknown
check "--markdown with a name is refused" not "$ingot" vendors ami --markdown
full() { ! "$ingot" vendors >/dev/full 2>err.txt && grep -q "No space left" err.txt; }
check "a full disk is an error" full

# --- a disk for each of them, checked -------------------------------------------------------------

# Partitions that are quickly read; the tree and the kernel are stand-ins.
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
mkdir -p tree/usr/lib tree/boot
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
cp "$stub" tree/boot/vmlinuz-6.1
seq 50000 >initrd
sed -E "s/size: 128M/size: 40M/; s/size: 1G/size: 24M/; s/size: 64M/size: 1M/
	s/^size: .*/size: 200M/" "$source_dir/layouts/flatcar.yaml" >flatcar.yaml
cat >recipe.yaml <<-RECIPE
	name: test
	version: "1"
	architecture: x86-64
	epoch: 1700000000
	layout: ./flatcar.yaml
	tree: tree
	owner: "0:0"
	boot: {linux: "tree:boot/vmlinuz-*", initrd: initrd, stub: $stub, cmdline: quiet}
	outputs: [$(names | paste -sd ,)]
RECIPE
build_all() { "$ingot" build recipe.yaml --output out 2>err.txt || { cat err.txt && false; }; }
check "one build for all of them" build_all
noted() {
	diff <(sed -nE "s/.*note: '(.*)' starts machines with a BIOS.*/\1/p" err.txt) \
		<(jq -r '.vendors[] | select(any(.checks[]; .check == "boot-path" and .firmware == "bios")).name' all.json)
}
check "it says which of them have no UEFI" noted

# keeps_rules NAME SUFFIX: of those that start with a BIOS, all but the boot loader, which is missing
keeps_rules() {
	local got=0
	"$ingot" convert -q --check "vendor:$1" "out/test-1-$1$2" >out.txt || got=$?
	cat out.txt
	case $1 in
	akamai | digitalocean) [ $got = 1 ] && [ "$(cut -d : -f 1 out.txt)" = "FAILED  boot-path" ] ;;
	*) [ $got = 0 ] ;;
	esac
}
while read -r name suffix; do
	check "$name$suffix keeps the vendor's rules" keeps_rules "$name" "$suffix"
done < <(jq -r '.vendors[] | .name as $n | .outputs[] | $n + " " + .suffix' all.json)

verdict
