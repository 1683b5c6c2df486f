# What 'cmake --install' puts where: the tools, and libnorkv with its headers
# and norkv.pc, and a rule for udev. The engine is not installed: firmware builds it from source.
include(GNUInstallDirs)

# With the prefix /usr or /usr/local this is where udev looks.
set(NORKV_UDEV_RULES_DIR lib/udev/rules.d CACHE STRING
    "Where udev's rules are installed")
install(FILES host/udev/60-norkv.rules DESTINATION ${NORKV_UDEV_RULES_DIR})

install(TARGETS norkv norkv-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# A static libnorkv needs the two others; norkv.pc says so.
install(TARGETS norkv_client norkv_client_shared norkv_proto norkv_proto_c
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES
    host/client/include/norkv/client.h
    host/client/include/norkv/client_async.h
    host/client/include/norkv/client_calls.h
    host/client/include/norkv/client_error.h
    host/client/include/norkv/client_maintenance.h
    host/client/include/norkv/client_port.h
    host/client/include/norkv/client_transfer.h
    proto/base/include/norkv/bytes.h
    proto/base/include/norkv/fault.h
    proto/base/include/norkv/status.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/norkv)
# The prefix is found from where norkv.pc lies: it is known only when installed.
file(RELATIVE_PATH NORKV_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/norkv.pc.in norkv.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/norkv.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
