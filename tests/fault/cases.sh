# The commands that faults are tried on. Each function sets
#	command		arguments; outputs are in out/
#	outputs		names of the outputs in out/
# and may set case_prepare (before a run), case_check (after one that looks right; sets problem)
# and case_extra_files (files in out/ that are no outputs).

# Bytes that are the same each time and do not compress.
noise() { # BYTES
	openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null | head -c "$1"
}

make_fixtures() {
	noise 1100000 >fixtures/data
	noise 50000000 >fixtures/large
	make_tree
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

cases="case_verity_format"
