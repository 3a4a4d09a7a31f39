# Layouts into C: cmake -D OUTPUT=FILE -D INPUTS=a.yaml;b.yaml -P embed.cmake
# Bytes and base names only, so that the same layouts give the same file anywhere.
set(arrays "")
set(table "")
foreach(input ${INPUTS})
	get_filename_component(name ${input} NAME_WE)
	file(READ ${input} hex HEX)
	string(REGEX REPLACE "(................................)" "\\1\n\t" hex "${hex}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1', " hex "${hex}")
	string(APPEND arrays "static const char ${name}[] = {\n\t${hex}\n};\n\n")
	string(APPEND table "\t{\"${name}\", ${name}, sizeof(${name})},\n")
endforeach()
file(WRITE ${OUTPUT}
"#include \"disk/layout_internal.h\"\n
${arrays}const struct ingot_builtin_layout ingot_builtin_layouts[] = {
${table}\t{NULL, NULL, 0},\n};\n")
