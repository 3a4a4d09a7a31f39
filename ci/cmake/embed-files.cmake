# Data files into C: cmake -D OUTPUT=FILE -D HEADER=h -D KIND=layout -D INPUTS=a.yaml;b.yaml
# -P embed-files.cmake. Gives ingot_builtin_KINDs[], of struct ingot_builtin_KIND, which HEADER declares.
# Bytes and base names only, so that the same files give the same C anywhere.
set(arrays "")
set(table "")
foreach(input ${INPUTS})
	get_filename_component(name ${input} NAME_WE)
	string(MAKE_C_IDENTIFIER "text_${name}" array)
	file(READ ${input} hex HEX)
	string(REGEX REPLACE "(................................)" "\\1\n\t" hex "${hex}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1', " hex "${hex}")
	string(APPEND arrays "static const char ${array}[] = {\n\t${hex}\n};\n\n")
	string(APPEND table "\t{\"${name}\", ${array}, sizeof(${array})},\n")
endforeach()
file(WRITE ${OUTPUT}
"#include \"${HEADER}\"\n
${arrays}const struct ingot_builtin_${KIND} ingot_builtin_${KIND}s[] = {
${table}\t{NULL, NULL, 0},\n};\n")
