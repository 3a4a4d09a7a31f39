# shellcheck shell=bash disable=SC2034,SC2154,SC2206
# (run.sh sources this file: it reads what is set here, and sets what is read.)
# The commands that faults are tried on. Each function sets
#	command		arguments; outputs are in out/
#	outputs		names of the outputs in out/
# and may set
#	verb		the command, where the function's name says more
#	standard_input	what comes through a pipe
#	case_kinds	the only faults to try, where the others are another case's or none of its
#	case_share	of the faults to try one in so many: it takes long
#	case_prepare	before a run
#	case_check	after a run that looks right; sets problem
#	case_extra_files	files in out/ that are no outputs
#	case_no		whether exit status 1 is an answer that this fault may have

# Bytes that are the same each time and do not compress.
noise() { # BYTES
	openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null | head -c "$1"
}

ROOT_HASH=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
STUB=/usr/lib/systemd/boot/efi/linuxx64.efi.stub

make_fixtures() {
	noise 1100000 >fixtures/data
	noise 5000000 >fixtures/large
	noise 123457 >fixtures/base
	make_tree
	make_keys
	make_layout
	make_recipe
	make_outputs_recipe
	make_disk
	printf 'ID=test\nVERSION_ID=1\n' >fixtures/os-release
	export SOURCE_DATE_EPOCH=1000000000
	"$ingot" build fixtures/recipe.yaml --output fixtures/image >/dev/null
}

make_keys() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=TEST -days 36500 \
		-keyout fixtures/key -out fixtures/certificate 2>/dev/null
	chmod 600 fixtures/key
}

make_layout() {
	cat >fixtures/layout.yaml <<-'END'
		name: test
		description: two partitions
		sector-size: 512
		alignment: 1M
		size: 16M
		partitions:
		  - {number: 1, label: A, type: linux-data, size: 4M}
		  - {number: 2, label: B, type: linux-data, size: rest}
	END
}

# All that a recipe can ask for, on a disk as small as FAT32 lets it be.
make_recipe() {
	cat >fixtures/disk.yaml <<-'END'
		name: disk
		description: as small as it can be
		sector-size: 512
		alignment: 1M
		size: 80M
		partitions:
		  - {number: 1, label: ESP, type: esp, size: 40M, content: esp, filesystem: fat32,
		     filesystem-label: ESP}
		  - {number: 2, label: USR-A, type: linux-data, size: 4M, content: usr,
		     filesystem: ext2, verity: appended}
		  - {number: 3, label: ROOT, type: linux-data, size: rest, content: root,
		     filesystem: ext4, filesystem-label: ROOT}
	END
	cat >fixtures/recipe.yaml <<-END
		name: test
		version: "1"
		architecture: x86-64
		epoch: 1000000000
		layout: ./disk.yaml
		tree: tree.tar.gz
		usr: {fec-roots: 2}
		boot:
		  linux: $STUB
		  initrd: [base]
		  stub: $STUB
		  os-release: os-release
		  cmdline: console=ttyS0
		signing:
		  key: key
		  certificate: certificate
		  manifest: true
		  secure-boot: {key: key, certificate: certificate}
		outputs: [raw]
	END
}

# vendor FORMAT SIDECAR DISK NETWORK [SIZE]: one that has such a file beside its disk
vendor() {
	cat >"fixtures/$2.yaml" <<-END
		name: $2
		summary: a vendor of our own
		platform: {ignition: mine}
		architectures: [x86-64]
		outputs: [{format: $1, suffix: .$1, sidecar: $2}]
		consoles: [ttyS9]
		oem:
		  release: {id: mine, name: Mine}
		hardware: {memory: 2048, cpus: 2, firmware: efi, disk: $3, network: $4}
		disk: {round: ${5:-1M}}
	END
}

# The same disk for vendors, and no raw image of its own.
make_outputs_recipe() {
	vendor qcow2 ami-import virtio virtio 1G
	vendor qcow2 libvirt-xml virtio virtio
	vendor vmdk-sparse vmx pvscsi vmxnet3
	vendor raw xl xen xen
	{
		sed -e 's/^name: .*/name: many/' -e '/^outputs:/d' fixtures/recipe.yaml
		printf 'level: 1\noutputs: [qcow2, vmdk, ./ami-import.yaml, ./libvirt-xml.yaml, %s]\n' \
			'./vmx.yaml, ./xl.yaml'
	} >fixtures/many.yaml
}

# Data, a hole and data up to the last sector: several pieces, and several blocks of every format.
make_disk() {
	noise 200000 >fixtures/small.raw
	truncate -s 3M fixtures/small.raw
	head -c 50000 fixtures/tree.tar.gz >>fixtures/small.raw
	truncate -s 5M fixtures/small.raw
	noise 100000 | dd of=fixtures/small.raw bs=64K oflag=seek_bytes seek=5142880 conv=notrunc \
		status=none
}

make_tree() {
	local i
	mkdir -p fixtures/tree/usr/bin fixtures/tree/usr/share/doc fixtures/tree/etc
	for ((i = 0; i < 40; i++)); do
		echo "file $i" >"fixtures/tree/usr/share/doc/file$i"
	done
	noise 300000 >fixtures/tree/usr/bin/program
	ln fixtures/tree/usr/bin/program fixtures/tree/usr/bin/other
	ln -s program fixtures/tree/usr/bin/link
	truncate -s 2000000 fixtures/tree/usr/share/sparse
	: >fixtures/tree/etc/empty
	touch -d @1000000000 fixtures/tree/usr/share/doc/* fixtures/tree/etc/empty
	tar -C fixtures/tree -czf fixtures/tree.tar.gz --owner=0 --group=0 .
}

case_verity_format() {
	command=(verity format fixtures/data --data-blocks 268 --hash-file out/tree)
	outputs=(tree)
}

# Into the data's own file: the data stays as it is, and the file as long as it was.
case_verity_format_appended() {
	verb='verity format'
	command=(verity format out/data --data-blocks 268 --hash-offset 1097728)
	case_extra_files=1
	case_prepare=append_prepare
	case_check=append_check
}
append_prepare() { head -c 1097728 fixtures/data >out/data; }
append_check() {
	cmp -s -n 1097728 fixtures/data out/data || problem='the data has changed'
	[ "$status" != 2 ] || [ "$(stat -c %s out/data)" = 1097728 ] ||
		problem='the file has another length'
}

# Tree and parity, each in a file of its own.
case_verity_format_parity() {
	verb='verity format'
	command=(verity format fixtures/data --data-blocks 268 --hash-file out/tree
		--fec-file out/parity --fec-roots 4)
	outputs=(tree parity)
}

# All of it into the data's own file.
case_verity_format_appended_parity() {
	verb='verity format'
	command=(verity format out/data --data-blocks 268 --hash-offset 1097728
		--fec-offset 1146880)
	case_extra_files=1
	case_prepare=append_prepare
	case_check=append_check
}

# A block that is lost comes back.
case_verity_repair() {
	repair_fixtures
	command=(verity repair fixtures/bad --hash-offset 1097728 --fec-offset 1146880
		--root-hash "$repair_root" --output out/repaired)
	outputs=(repaired)
	case_check=repair_check
}
repair_fixtures() {
	[ ! -f fixtures/bad ] || return 0
	head -c 1097728 fixtures/data >fixtures/whole
	repair_root=$("$ingot" verity format fixtures/whole --data-blocks 268 --hash-offset 1097728 \
		--fec-offset 1146880 --json | jq -r .root_hash)
	cp fixtures/whole fixtures/bad
	noise 4096 | dd of=fixtures/bad bs=4096 seek=7 conv=notrunc status=none
}
repair_check() {
	[ "$status" != 0 ] || cmp -s fixtures/whole out/repaired || problem='not the bytes that were lost'
}

case_sign_root-hash() {
	command=(sign root-hash $ROOT_HASH --key fixtures/key --certificate fixtures/certificate
		--output out/signature)
	outputs=(signature)
}

case_sign_pe() {
	command=(sign pe "$STUB" --key fixtures/key --certificate fixtures/certificate
		--output out/signed.efi)
	outputs=(signed.efi)
}

case_sign_sums() {
	command=(sign sums fixtures/data fixtures/base --key fixtures/key
		--certificate fixtures/certificate --output out/SHA256SUMS)
	outputs=(SHA256SUMS SHA256SUMS.p7s)
}

case_sign_efi-variable() {
	: >fixtures/list
	command=(sign efi-variable PK fixtures/list --key fixtures/key
		--certificate fixtures/certificate --output out/PK.auth)
	outputs=(PK.auth)
}

case_initrd() {
	command=(initrd --base fixtures/base --base fixtures/data --root-hash $ROOT_HASH
		--data-device /dev/vda1 --hash-device /dev/vda2 --certificate fixtures/certificate
		--output out/initrd)
	outputs=(initrd)
}

# The stub is a PE file of the right machine, so it can be the kernel, too.
case_uki() {
	command=(uki --stub $STUB --linux $STUB --initrd fixtures/base --initrd fixtures/data
		--cmdline 'console=ttyS0 quiet' --os-release fixtures/os-release --output out/uki)
	outputs=(uki)
}

case_disk() {
	command=(disk --layout fixtures/layout.yaml --partition A=fixtures/data
		--partition B=fixtures/large --seed 00112233445566778899aabbccddeeff
		--output out/disk)
	outputs=(disk)
}

case_mkfs() {
	command=(mkfs --from fixtures/tree.tar.gz --size 8M --output out/fs)
	outputs=(fs)
}

case_mkfs_from_a_folder() {
	verb=mkfs
	command=(mkfs --from fixtures/tree --owner 0:0 --subtree usr --output out/fs)
	outputs=(fs)
}

# The summary tells how long things took, so it is left out.
case_build() {
	command=(build fixtures/recipe.yaml --output out --quiet)
	outputs=(test-1.raw test-1.manifest.json test-1.manifest.json.p7s)
}

# Images are changed in place. Whatever fails, the same command run again finishes, and the result is
# that of a build with the key at hand.
case_attach() {
	attach_case qcow2 vmdk
	command+=(--manifest out/test-1.manifest.json)
	case_extra_files=3
}
case_attach_packed() {
	verb=attach
	attach_case ova raw.gz raw.zst raw.xz
}
attach_case() { # FORMAT...
	local format
	attach_formats=("$@")
	attach_fixtures
	command=(attach --response fixtures/response.json)
	for format in "$@"; do
		command+=("out/test-1.$format")
	done
	case_extra_files=$#
	case_prepare=attach_prepare
	case_check=attach_check
}
attach_fixtures() {
	[ ! -d fixtures/later ] || return 0
	sed -e '/manifest: true/d' -e 's/^outputs.*/outputs: [qcow2, vmdk, ova, raw.gz, raw.zst, raw.xz]/' \
		fixtures/recipe.yaml >fixtures/attach.yaml
	"$ingot" build fixtures/attach.yaml --output fixtures/direct --quiet
	"$ingot" build fixtures/attach.yaml --output fixtures/later --quiet --sign-later
	"$ingot" sign --request fixtures/later/test-1.request.json --key fixtures/key \
		--response fixtures/response.json --yes 2>/dev/null
}
attach_prepare() {
	local format
	for format in "${attach_formats[@]}"; do
		cp "fixtures/later/test-1.$format" out
	done
	[ "$case_extra_files" = "${#attach_formats[@]}" ] || cp fixtures/later/test-1.manifest.json out
}
attach_check() {
	local format
	if [ "$status" != 0 ] && ! "$ingot" "${command[@]}" --quiet 2>again; then
		problem="it cannot be done again: $(head -1 again)"
		return
	fi
	for format in "${attach_formats[@]}"; do
		cmp -s "out/test-1.$format" "fixtures/direct/test-1.$format" ||
			problem="$format is not what the key at hand makes"
	done
}

case_inspect() {
	command=(inspect fixtures/image/test-1.raw)
}

# A library that has no memory for its second look leaves a check undone. What is whole is never BAD.
case_verify() {
	command=(verify fixtures/image/test-1.raw --certificate fixtures/certificate --allow-test-keys
		--manifest fixtures/image/test-1.manifest.json)
	case_kinds='no-memory memory-is-gone'
	case_no=nothing_is_bad
}
nothing_is_bad() { grep -q '^UNKNOWN' stdout && ! grep -q '^BAD' stdout; }

case_build_many() {
	verb=build
	case_share=3
	command=(build fixtures/many.yaml --output out --quiet)
	outputs=(many-1.qcow2 many-1.vmdk many-1-ami-import.qcow2 many-1-ami-import.import.json
		many-1-libvirt-xml.qcow2 many-1-libvirt-xml.xml many-1-vmx.vmdk-sparse many-1-vmx.vmx
		many-1-xl.raw many-1-xl.cfg many-1.manifest.json many-1.manifest.json.p7s)
}

formats=(raw qcow2 qcow2-zstd qcow2-v2 vmdk vmdk-sparse ova vagrant vhd vhd-dynamic vhdx vdi gce
	raw.gz raw.zst raw.xz)

# Every format at once. There are more outputs than the names that signals remove at first.
case_convert() {
	local format
	case_share=3
	command=(convert fixtures/small.raw --level 1)
	for format in "${formats[@]}"; do
		command+=(--to "$format=out/$format")
		outputs+=("$format")
	done
}

# From every format: what differs is reading.
convert_from() { # FORMAT
	[ -e "fixtures/small.$1" ] || "$ingot" convert fixtures/small.raw --to "$1=fixtures/small.$1"
	verb=convert
	command=(convert "fixtures/small.$1" --to raw=out/disk)
	outputs=(disk)
	case_kinds='read-error short-reads interrupted-reads no-files no-memory memory-is-gone'
	case_check=converted_check
}
converted_check() {
	[ "$status" != 0 ] || cmp -s fixtures/small.raw out/disk || problem='another disk'
}
for format in "${formats[@]:1}"; do
	eval "case_convert_from_$format() { convert_from $format; }"
done

# A pipe is kept in a file without a name first.
case_convert_a_pipe() {
	verb=convert
	command=(convert - --to qcow2=out/disk --to vmdk=out/other)
	outputs=(disk other)
	standard_input=fixtures/small.raw
}

cases="case_attach case_attach_packed case_mkfs case_mkfs_from_a_folder case_verity_format case_verity_format_appended
case_verity_repair case_verity_format_parity case_verity_format_appended_parity case_sign_root-hash
case_sign_pe case_sign_sums case_sign_efi-variable case_initrd
case_uki case_disk case_build case_inspect case_verify case_build_many case_convert case_convert_a_pipe
$(printf 'case_convert_from_%s ' "${formats[@]:1}")"
