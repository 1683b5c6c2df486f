#!/usr/bin/env python3
"""Makes a C header of RPC service and method ids from a descriptor set.

Refuses ids that are 0 (no packet may carry them), service ids that collide,
method ids that collide within their service, and C names that collide. Python
because the nanopb generator needs it, and its protobuf package, anyway.
"""
import argparse
import pathlib
import re
import sys

from google.protobuf import descriptor_pb2

# pw_rpc's name hash (docs/protocol.md, Ids); src/name_id.c is the same in C.
HASH_CONSTANT = 65599


def name_id(name):
    """The id of a service's full name or of a method's bare name."""
    data = name.encode()
    value = len(data)
    factor = HASH_CONSTANT
    for byte in data:
        value = (value + factor * byte) % 2**32
        factor = factor * HASH_CONSTANT % 2**32
    return value


def c_name(name):
    """EraseAll becomes ERASE_ALL."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def read_services(path):
    """A list of (full name, bare name, method names)."""
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(pathlib.Path(path).read_bytes())
    services = []
    for file in files.file:
        prefix = file.package + "." if file.package else ""
        for service in file.service:
            methods = [method.name for method in service.method]
            services.append((prefix + service.name, service.name, methods))
    return services


def find_faults(names, what):
    """Complaints about ids and C names among names, which belong together."""
    faults = []
    by_id = {}
    for name in names:
        number = name_id(name)
        if number == 0:
            faults.append(f"{what} {name}: its id is 0")
        if number in by_id:
            other = by_id[number]
            faults.append(f"{what}s {other} and {name}: "
                          f"both have the id 0x{number:08X}")
        by_id[number] = name
    by_c_name = {}
    for name in names:
        short = c_name(name.rsplit(".", 1)[-1])
        if short in by_c_name:
            other = by_c_name[short]
            faults.append(f"{what}s {other} and {name}: "
                          f"both are {short} in C")
        by_c_name[short] = name
    return faults


def check(services):
    faults = find_faults([full for full, _, _ in services], "service")
    for full, _, methods in services:
        faults += find_faults(methods, f"{full}: method")
    return faults


def write_header(path, prefix, header, services):
    guard = re.sub(r"\W", "_", header).upper()
    upper = prefix.upper()
    lines = [
        "/* Ids of RPC services and methods. Generated from the schema. */",
        f"#ifndef {guard}", f"#define {guard}", "", "#include <stdint.h>", ""]
    for full, bare, methods in services:
        lines.append(f"/* {full} */")
        lines.append(f"#define {upper}_SERVICE_{c_name(bare)} "
                     f"UINT32_C(0x{name_id(full):08X})")
        for method in methods:
            lines.append(f"#define {upper}_METHOD_{c_name(bare)}_"
                         f"{c_name(method)} "
                         f"UINT32_C(0x{name_id(method):08X})")
        lines.append("")
    lines += [
        "/*",
        " * The name of a method, \"package.Service/Method\", for people to",
        " * read. NULL when it is unknown. Static storage.",
        " */",
        f"const char *{prefix}_method_name(uint32_t service_id,",
        "                            uint32_t method_id);",
        "", "#endif", ""]
    path.write_text("\n".join(lines))


def write_source(path, prefix, header, services):
    lines = [
        "/* Names of RPC services and methods. Generated from the schema. */",
        f"#include <{header}>", "", "#include <stddef.h>", "",
        "struct name {", "    uint32_t service_id;",
        "    uint32_t method_id;", "    const char *text;", "};", "",
        "static const struct name names[] = {"]
    for full, _, methods in services:
        number = name_id(full)
        for method in methods:
            lines.append(f"    {{0x{number:08X}u, 0x{name_id(method):08X}u, "
                         f"\"{full}/{method}\"}},")
    lines += [
        "};", "",
        f"const char *{prefix}_method_name(uint32_t service_id,",
        "                            uint32_t method_id)", "{",
        "    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {",
        "        if (names[i].service_id == service_id &&",
        "            names[i].method_id == method_id) {",
        "            return names[i].text;", "        }", "    }",
        "    return NULL;", "}", ""]
    path.write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", required=True, help="of the C names")
    parser.add_argument("--header", required=True, help="as it is included")
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("descriptors", help="from protoc --descriptor_set_out")
    arguments = parser.parse_args()
    services = read_services(arguments.descriptors)
    faults = check(services)
    if not services:
        faults.append("there is no service in these files")
    for fault in faults:
        print(f"make_ids.py: {fault}", file=sys.stderr)
    if faults:
        return 1
    header = arguments.folder / arguments.header
    header.parent.mkdir(parents=True, exist_ok=True)
    write_header(header, arguments.prefix, arguments.header, services)
    write_source(arguments.folder / f"{arguments.prefix}_ids.c",
                 arguments.prefix, arguments.header, services)
    return 0


if __name__ == "__main__":
    sys.exit(main())
