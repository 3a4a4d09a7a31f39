# Debian's packages, found with pkg-config. ci/deps.sh installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(DEPS REQUIRED IMPORTED_TARGET
	ext2fs            # ROOT and OEM: ext4
	com_err           # ... and its error texts
	libcryptsetup     # the second opinion of `verity check`
	libcrypto>=3.0    # SHA-2, HMAC, X.509, PKCS#7
	p11-kit-1>=0.23   # keys in tokens: the modules, and their URIs
	libarchive>=3.6   # tar in, newc out
	libzstd>=1.5      # initrd segments, qcow2
	libdeflate>=1.14  # qcow2, VMDK, gzip
	zlib>=1.2.11      # gzip files of others: a stream that can be entered in the middle
	liblzma>=5.4      # raw.xz
	jansson>=2.13     # JSON
	yaml-0.1>=0.2.5)  # recipes and layouts, with line and column
set(INGOT_PC_REQUIRES ext2fs com_err libcryptsetup libcrypto p11-kit-1 libarchive libzstd
	libdeflate zlib liblzma jansson yaml-0.1)
