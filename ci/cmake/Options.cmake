# How everything is compiled. The presets set these options.
option(INGOT_WERROR "Warnings are errors" OFF)
set(INGOT_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=")
option(INGOT_UNIT_TESTS "Build the unit tests (needs cmocka)" ON)
option(INGOT_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release)
endif()
include(GNUInstallDirs)

# The build folder and the source folder must not reach the binary.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(-Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wvla -Wconversion
	-Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual
	-Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum)
if(INGOT_WERROR)
	add_compile_options(-Werror)
elseif(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE MATCHES "Rel")
	# With optimisation these follow paths on which an error code is ignored that no caller can
	# ignore, and take a cut text for an accident.
	add_compile_options(-Wno-maybe-uninitialized -Wno-null-dereference -Wno-format-truncation)
endif()

if(INGOT_SANITIZE)
	add_compile_options(-fsanitize=${INGOT_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	add_link_options(-fsanitize=${INGOT_SANITIZE})
else()
	add_compile_options(-fstack-protector-strong)
	add_link_options(-Wl,-z,relro,-z,now)
	if(CMAKE_BUILD_TYPE MATCHES "Rel")
		add_compile_definitions(_FORTIFY_SOURCE=2)
	endif()
endif()
if(INGOT_FUZZ)
	# Assertions stay, whatever the build type: they are half of what a target checks.
	add_compile_options(-fsanitize=fuzzer-no-link -UNDEBUG)
endif()
