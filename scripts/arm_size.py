"""What scripts/engine-size and scripts/server-size share: compiling for a
Cortex-M with -Os, linking with --gc-sections, and reading the linker's map."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = "arm-none-eabi-"
NAME = pathlib.Path(sys.argv[0]).name
SIZE_FLAGS = ["-Os", "-std=c11", "-DNDEBUG", "-ffunction-sections",
              "-fdata-sections"]


def fail(text):
    sys.exit(f"{NAME}: {text}")


def run(*command):
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    if done.returncode != 0:
        fail(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout


def kept_sections(map_file):
    """(section, size, object) of each input section in a linker map."""
    text = map_file.read_text()
    text = text[text.index("Linker script and memory map"):]
    # A long name has a line of its own.
    text = re.sub(r"^( \.\S+)\n\s+", r"\1 ", text, flags=re.M)
    for line in text.splitlines():
        match = re.match(r" (\.\S+|COMMON)\s+0x\w+\s+(0x\w+)\s+(\S+\.o)$",
                         line)
        if match:
            yield match[1], int(match[2], 16), match[3]


def linked_size(name, objects, functions, folder, flags):
    """({object: bytes of code and constants}, bytes of static variables) of a
    program that calls the functions."""
    program = folder / f"{name}.c"
    program.write_text(
        "".join(f"extern void {f}(void);\n" for f in functions) +
        "void (*const volatile used[])(void) = {" + ", ".join(functions) +
        "};\nvoid start(void);\nvoid start(void) { used[0](); }\n")
    map_file = folder / f"{name}.map"
    run(TOOLS + "gcc", *flags, "-nostartfiles", "-Wl,--gc-sections,-e,start",
        f"-Wl,-Map={map_file}", str(program), *map(str, objects),
        "-o", str(folder / f"{name}.elf"))
    text, static = {}, 0
    for section, size, file in kept_sections(map_file):
        if file not in map(str, objects):
            continue
        if section.startswith((".text", ".rodata")):
            text[file] = text.get(file, 0) + size
        elif section.startswith((".data", ".bss", "COMMON")):
            static += size
    return text, static
