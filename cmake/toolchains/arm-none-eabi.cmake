# Firmware for a Cortex-M, with Debian's gcc-arm-none-eabi and newlib. NORKV_CPU
# says for which one: CMakePresets.json has a preset for each board.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
# A program needs a board's linker script.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NORKV_CPU)
if(NOT NORKV_CPU)
    message(FATAL_ERROR "no NORKV_CPU: use 'cmake --preset BOARD', or give "
        "-DNORKV_CPU=cortex-m0, say, with -DNORKV_BOARD")
endif()
set(CMAKE_C_FLAGS_INIT
    "-mcpu=${NORKV_CPU} -mthumb -ffunction-sections -fdata-sections")
# For the debugger; none of it is in flash.
set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-g")
set(CMAKE_EXECUTABLE_SUFFIX_C .elf)
