# norkv_nanopb: the distribution's library on a host, where tests use it, and for
# firmware the header alone, which is all that the server needs, from nanopb's
# sources (scripts/nanopb-sources), of which -DNORKV_NANOPB=PATH names an archive
# or a folder where no network is.
if(NOT NORKV_FIRMWARE)
    find_library(NORKV_NANOPB_LIBRARY protobuf-nanopb REQUIRED)
    find_path(NORKV_NANOPB_INCLUDE pb_decode.h REQUIRED)
    add_library(norkv_nanopb INTERFACE)
    target_include_directories(norkv_nanopb SYSTEM INTERFACE
        ${NORKV_NANOPB_INCLUDE})
    target_link_libraries(norkv_nanopb INTERFACE ${NORKV_NANOPB_LIBRARY})
    return()
endif()

set(NORKV_NANOPB "" CACHE PATH
    "nanopb's source archive, or a folder with its sources; empty: apt's")
execute_process(
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/nanopb-sources ${NORKV_NANOPB}
    RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "firmware needs nanopb's sources (-DNORKV_NANOPB=PATH)")
endif()
set(folder ${PROJECT_SOURCE_DIR}/build/nanopb)
add_library(norkv_nanopb INTERFACE)
target_include_directories(norkv_nanopb SYSTEM INTERFACE ${folder})
