# The flags of all our own code; generated code takes norkv_options only.
add_library(norkv_options INTERFACE)
add_library(norkv_warnings INTERFACE)
target_link_libraries(norkv_warnings INTERFACE norkv_options)
target_compile_options(norkv_warnings INTERFACE
    -pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef
    -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align
    -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
    -Wnull-dereference -fno-common)
if(NORKV_WERROR)
    target_compile_options(norkv_warnings INTERFACE -Werror)
endif()
# Assertions are for our own bugs: they stay where bugs are looked for.
if(NORKV_SANITIZE OR NORKV_FUZZ)
    target_compile_options(norkv_options INTERFACE -UNDEBUG)
endif()
if(NORKV_SANITIZE)
    target_compile_options(norkv_options INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    target_link_options(norkv_options INTERFACE -fsanitize=address,undefined)
    # With gcc, UBSan stops the program by an invalid instruction and names only
    # the line (ASAN_OPTIONS=handle_sigill=1). Its library, which would name the
    # check too, makes a start take twice as long; clang has it.
    if(CMAKE_C_COMPILER_ID STREQUAL GNU)
        set(trap -fsanitize-undefined-trap-on-error)
        target_compile_options(norkv_options INTERFACE ${trap})
        target_link_options(norkv_options INTERFACE ${trap})
    endif()
endif()
if(NORKV_FUZZ)
    target_compile_options(norkv_options INTERFACE
        -fsanitize=fuzzer-no-link)
    target_link_options(norkv_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
