# ingot_embed(KIND HEADER FOLDER): the YAML files of a folder become part of the library, as
# ingot_builtin_KINDs[]; see embed-files.cmake.
set(INGOT_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed-files.cmake)
function(ingot_embed kind header folder)
	file(GLOB inputs CONFIGURE_DEPENDS ${folder}/*.yaml)
	list(TRANSFORM inputs REPLACE "\\.yaml$" "") # "ami" before "ami-vmdk"
	list(SORT inputs)
	list(TRANSFORM inputs APPEND ".yaml")
	set(output ${CMAKE_CURRENT_BINARY_DIR}/builtin_${kind}s.c)
	add_custom_command(OUTPUT ${output}
		COMMAND ${CMAKE_COMMAND} -D OUTPUT=${output} -D HEADER=${header} -D KIND=${kind}
			"-DINPUTS=${inputs}" -P ${INGOT_EMBED_SCRIPT}
		DEPENDS ${inputs} ${INGOT_EMBED_SCRIPT}
		VERBATIM)
	add_custom_target(ingot_${kind}s DEPENDS ${output})
	add_dependencies(ingot_objects ingot_${kind}s)
	set_source_files_properties(${output} TARGET_DIRECTORY ingot_objects PROPERTIES
		GENERATED TRUE)
	target_sources(ingot_objects PRIVATE ${output})
endfunction()
