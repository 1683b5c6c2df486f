# Runs the build step that makes norkv/ids.h on schemas: cmake -D...=... -P this
#   PROTOC PYTHON MAKE_IDS  the tools
#   SCHEMAS                 .proto files, separated by commas
#   FOLDER                  to write into
#   MESSAGE                 what it must complain about; not given: it must work
string(REPLACE "," ";" SCHEMAS "${SCHEMAS}")
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
foreach(schema IN LISTS SCHEMAS)
    get_filename_component(folder ${schema} DIRECTORY)
    list(APPEND includes -I ${folder})
endforeach()
execute_process(COMMAND_ERROR_IS_FATAL ANY
    COMMAND ${PROTOC} ${includes} --descriptor_set_out=${FOLDER}/set ${SCHEMAS})
execute_process(RESULT_VARIABLE result ERROR_VARIABLE error
    COMMAND ${PYTHON} ${MAKE_IDS} --prefix nkv --header norkv/ids.h
        --folder ${FOLDER} ${FOLDER}/set)
if(NOT DEFINED MESSAGE)
    if(NOT result EQUAL 0 OR NOT EXISTS ${FOLDER}/norkv/ids.h)
        message(FATAL_ERROR "it fails (${result}): ${error}")
    endif()
elseif(result EQUAL 0 OR EXISTS ${FOLDER}/norkv/ids.h)
    message(FATAL_ERROR "it does not fail")
elseif(NOT error MATCHES "${MESSAGE}")
    message(FATAL_ERROR "no \"${MESSAGE}\" in: ${error}")
endif()
