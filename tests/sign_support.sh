# shellcheck shell=bash
# What must be refused, for the scripts that try `ingot sign`. Source it after interop_support.sh.

# refuse WHAT TEXT COMMAND...: exit status 2, TEXT in the message and no passphrase, no output.
refuse() {
	local what=$1 text=$2
	shift 2
	check "$what" refused "$text" "$@"
}
refused() {
	local text=$1 status=0
	shift
	rm -f out out.p7s
	"$@" --output out 2>message || status=$?
	cat message
	[ "$status" = 2 ] && [ ! -e out ] && [ ! -e out.p7s ] && grep -qF -- "$text" message &&
		! grep -q sesame message
}
