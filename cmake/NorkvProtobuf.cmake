# Code generated from .proto files: always at build time, never committed.
#
#   norkv_generate_nanopb(TARGET file.proto...)      device side, file.pb.h
#   norkv_generate_protobuf_c(TARGET file.proto...)  host side, file.pb-c.h
#
# make a static library of the generated code, with its include folder and
# runtime library attached. Fields of open size stay callbacks in nanopb: sizes
# come from the board's configuration.
#
#   norkv_generate_structs(OUT OPTIONS file.options PROTOS file.proto...)
#
# makes nanopb's headers only, with the options given, for code that has its own
# way to read and write messages (norkv/fields.h); sets OUT to the headers and
# OUT_INCLUDE to their folder.
#
#   norkv_generate_ids(OUT PREFIX prefix HEADER path.h PROTOS file.proto...)
#
# writes a header of service and method ids and the source of a function that
# names them (proto/tools/make_ids.py), and sets OUT to the files and
# OUT_INCLUDE to the folder that path.h is relative to. The build fails when an
# id is 0 or two of them collide.
#
# Firmware has its own way, norkv_generate_structs: the two others do nothing.
# The first python3 on the path need not be the one with the protobuf package.
function(norkv_python_has_protobuf OK CANDIDATE)
    execute_process(COMMAND ${CANDIDATE} -c "import google.protobuf"
        RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
    if(NOT result EQUAL 0)
        set(${OK} FALSE PARENT_SCOPE)
    endif()
endfunction()

find_program(NORKV_PYTHON python3 VALIDATOR norkv_python_has_protobuf REQUIRED)
find_program(NORKV_PROTOC protoc REQUIRED)
find_program(NORKV_PROTOC_GEN_NANOPB protoc-gen-nanopb REQUIRED)
include(NorkvNanopb)
if(NOT NORKV_FIRMWARE)
    find_package(PkgConfig REQUIRED)
    find_program(NORKV_PROTOC_GEN_C protoc-gen-c REQUIRED)
    pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
endif()
cmake_path(SET NORKV_MAKE_IDS NORMALIZE
    ${CMAKE_CURRENT_LIST_DIR}/../proto/tools/make_ids.py)

# Adds the command that makes NAME.SUFFIX.[ch] in FOLDER out of PROTO; further
# arguments are protoc's.
function(norkv_protoc_command PROTO PLUGIN FOLDER SUFFIX)
    get_filename_component(name ${PROTO} NAME_WE)
    get_filename_component(source_folder ${PROTO} DIRECTORY)
    cmake_path(GET PLUGIN FILENAME plugin_name)
    string(REPLACE protoc-gen- "" generator ${plugin_name})
    add_custom_command(
        OUTPUT ${FOLDER}/${name}.${SUFFIX}.c ${FOLDER}/${name}.${SUFFIX}.h
        COMMAND ${CMAKE_COMMAND} -E make_directory ${FOLDER}
        COMMAND ${NORKV_PROTOC} --plugin=${plugin_name}=${PLUGIN}
            -I ${source_folder} --${generator}_out=${FOLDER} ${ARGN} ${PROTO}
        DEPENDS ${PROTO}
        COMMENT "Generating ${name}.${SUFFIX}.[ch]"
        VERBATIM)
endfunction()

function(norkv_generate_library TARGET PLUGIN SUFFIX)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${TARGET})
    foreach(proto IN LISTS ARGN)
        get_filename_component(proto ${proto} ABSOLUTE)
        get_filename_component(name ${proto} NAME_WE)
        norkv_protoc_command(${proto} ${PLUGIN} ${folder} ${SUFFIX})
        list(APPEND sources
            ${folder}/${name}.${SUFFIX}.c ${folder}/${name}.${SUFFIX}.h)
    endforeach()
    add_library(${TARGET} STATIC ${sources})
    target_include_directories(${TARGET} PUBLIC ${folder})
    target_link_libraries(${TARGET} PRIVATE norkv_options)
endfunction()

function(norkv_generate_nanopb TARGET)
    if(NORKV_FIRMWARE)
        return()
    endif()
    norkv_generate_library(${TARGET} ${NORKV_PROTOC_GEN_NANOPB} pb ${ARGN})
    target_link_libraries(${TARGET} PUBLIC norkv_nanopb)
endfunction()

function(norkv_generate_structs OUT)
    cmake_parse_arguments(ARG "" "OPTIONS" "PROTOS" ${ARGN})
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${OUT})
    get_filename_component(options ${ARG_OPTIONS} ABSOLUTE)
    foreach(proto IN LISTS ARG_PROTOS)
        get_filename_component(proto ${proto} ABSOLUTE)
        get_filename_component(name ${proto} NAME_WE)
        norkv_protoc_command(${proto} ${NORKV_PROTOC_GEN_NANOPB} ${folder} pb
            --nanopb_opt=-f${options})
        list(APPEND headers ${folder}/${name}.pb.h)
    endforeach()
    set(${OUT} ${headers} PARENT_SCOPE)
    set(${OUT}_INCLUDE ${folder} PARENT_SCOPE)
endfunction()

function(norkv_generate_protobuf_c TARGET)
    if(NORKV_FIRMWARE)
        return()
    endif()
    norkv_generate_library(${TARGET} ${NORKV_PROTOC_GEN_C} pb-c ${ARGN})
    target_link_libraries(${TARGET} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()

function(norkv_generate_ids OUT)
    cmake_parse_arguments(ARG "" "PREFIX;HEADER" "PROTOS" ${ARGN})
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${ARG_PREFIX}_ids)
    foreach(proto IN LISTS ARG_PROTOS)
        get_filename_component(proto ${proto} ABSOLUTE)
        get_filename_component(source_folder ${proto} DIRECTORY)
        list(APPEND protos ${proto})
        list(APPEND includes -I ${source_folder})
    endforeach()
    set(descriptors ${folder}/descriptors.bin)
    set(outputs ${folder}/${ARG_HEADER} ${folder}/${ARG_PREFIX}_ids.c)
    add_custom_command(OUTPUT ${outputs}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
        COMMAND ${NORKV_PROTOC} ${includes}
            --descriptor_set_out=${descriptors} ${protos}
        COMMAND ${NORKV_PYTHON} ${NORKV_MAKE_IDS} --prefix ${ARG_PREFIX}
            --header ${ARG_HEADER} --folder ${folder} ${descriptors}
        DEPENDS ${protos} ${NORKV_MAKE_IDS}
        COMMENT "Generating ${ARG_HEADER}"
        VERBATIM)
    set(${OUT} ${outputs} PARENT_SCOPE)
    set(${OUT}_INCLUDE ${folder} PARENT_SCOPE)
endfunction()
