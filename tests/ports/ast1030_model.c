#include "ast1030_model.h"
#include "ast1030_uart.h"
#include "cortex_m.h"

#include <string.h>

enum {
    FMC_CONF = 0x7E620000,
    FMC_CTRL_0 = 0x7E620010,
    USER_MODE = 3,
    DESELECT = 1 << 2,
    ENABLE_WRITE_0 = 1 << 16,
    UART = 0x7E784000,
    INT_RECEIVED = 1 << 0,
    INT_EMPTY = 1 << 1,
    INT_STATUS = 1 << 2,
    TIMER_1_COUNT = 0x7E782000,
    TIMER_1_RELOAD = 0x7E782004,
    TIMER_CONTROL = 0x7E782030,
    TIMER_CONTROL_CLEAR = 0x7E78203C
};

#define WINDOW 0x80000000u
#define SYSTICK_CONTROL 0xE000E010u
#define SYSTICK_RELOAD 0xE000E014u
#define SYSTICK_CURRENT 0xE000E018u

struct nkv_ast1030_model nkv_ast1030;

static void violate(const char *what)
{
    if (nkv_ast1030.violation == NULL)
        nkv_ast1030.violation = what;
}

void nkv_ast1030_reset(struct nkv_spi_nor_model *chip)
{
    nkv_ast1030 = (struct nkv_ast1030_model){
        .chip = chip,
        .fmc_control = USER_MODE | DESELECT,
        .fifo_trigger = 1,
        .are_interrupts_on = true,
    };
}

/* ---- Flash controller ---------------------------------------------------- */

static void write_control(uint32_t value)
{
    const struct nkv_spi_bus *bus = &nkv_ast1030.chip->bus;
    bool was_selected = (nkv_ast1030.fmc_control & DESELECT) == 0;
    bool is_selected = (value & DESELECT) == 0;

    if (nkv_ast1030.is_window_loose)
        violate("a control of the bus that may overtake what was exchanged");
    if ((value & USER_MODE) != USER_MODE)
        violate("another mode than the user's");
    nkv_ast1030.is_control_loose = true;
    nkv_ast1030.fmc_control = value;
    if (is_selected && !was_selected)
        bus->select(bus->context);
    else if (!is_selected && was_selected)
        bus->deselect(bus->context);
}

static bool use_window(void)
{
    if ((nkv_ast1030.fmc_control & DESELECT) != 0) {
        violate("the window is used while the chip is not selected");
        return false;
    }
    if (nkv_ast1030.is_control_loose)
        violate("bytes that may overtake the control of the bus");
    nkv_ast1030.is_window_loose = true;
    nkv_ast1030.accesses++;
    return true;
}

/* The byte at the lowest address goes first. */
static uint32_t read_window(size_t width)
{
    const struct nkv_spi_bus *bus = &nkv_ast1030.chip->bus;
    uint8_t bytes[4] = {0};
    uint32_t value = 0;

    if (!use_window())
        return 0;
    bus->exchange(bus->context, NULL, bytes, width);
    for (size_t i = 0; i < width; i++)
        value |= (uint32_t)bytes[i] << 8 * i;
    return value;
}

static void write_window(uint32_t value, size_t width)
{
    const struct nkv_spi_bus *bus = &nkv_ast1030.chip->bus;
    uint8_t bytes[4];

    if (!use_window())
        return;
    if ((nkv_ast1030.fmc_conf & ENABLE_WRITE_0) == 0)
        violate("a write that the controller is not told to let pass");
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    bus->exchange(bus->context, bytes, NULL, width);
}

/* ---- UART ---------------------------------------------------------------- */

static bool is_received_pending(void)
{
    return nkv_ast1030.fifo_size >= nkv_ast1030.fifo_trigger ||
           (nkv_ast1030.is_late && nkv_ast1030.fifo_size > 0);
}

static bool is_uart_pending(void)
{
    uint32_t causes = (is_received_pending() ? INT_RECEIVED : 0u) |
                      (nkv_ast1030.send_fifo_size == 0 ? INT_EMPTY : 0u) |
                      (nkv_ast1030.has_overrun ? INT_STATUS : 0u);

    return nkv_ast1030.is_uart_enabled &&
           (causes & nkv_ast1030.uart_interrupts) != 0;
}

/* An interrupt whose cause its handler leaves is taken for ever. */
static void take_interrupts(void)
{
    if (!nkv_ast1030.are_interrupts_on || nkv_ast1030.is_in_handler ||
        !is_uart_pending())
        return;
    nkv_ast1030.is_in_handler = true;
    nkv_ast1030.interrupts_taken++;
    nkv_ast1030_uart_interrupt();
    nkv_ast1030.is_in_handler = false;
    if (is_uart_pending())
        violate("a handler that leaves its interrupt pending");
}

static void arrive(uint8_t byte)
{
    nkv_ast1030.is_late = false;
    if (nkv_ast1030.fifo_size == NKV_AST1030_FIFO)
        nkv_ast1030.has_overrun = true;
    else
        nkv_ast1030.fifo[nkv_ast1030.fifo_size++] = byte;
}

void nkv_ast1030_line_bytes(const char *bytes)
{
    for (; *bytes != '\0'; bytes++) {
        arrive((uint8_t)*bytes);
        take_interrupts();
    }
}

void nkv_ast1030_line_bytes_at_once(const char *bytes)
{
    for (; *bytes != '\0'; bytes++)
        arrive((uint8_t)*bytes);
    take_interrupts();
}

void nkv_ast1030_line_idle(void)
{
    nkv_ast1030.is_late = true;
    take_interrupts();
}

static uint32_t take_received(void)
{
    uint8_t byte = nkv_ast1030.fifo[0];

    if (nkv_ast1030.fifo_size == 0)
        return 0;
    nkv_ast1030.fifo_size--;
    memmove(nkv_ast1030.fifo, nkv_ast1030.fifo + 1, nkv_ast1030.fifo_size);
    return byte;
}

static void send(uint32_t value)
{
    if (nkv_ast1030.send_fifo_size == NKV_AST1030_FIFO ||
        nkv_ast1030.sent_size == NKV_AST1030_SENT_MAX) {
        violate("a byte that the FIFO has no room for");
        return;
    }
    nkv_ast1030.sent[nkv_ast1030.sent_size++] = (uint8_t)value;
    nkv_ast1030.send_fifo_size++;
}

/* What it tells of an overrun it tells once. */
static uint32_t read_line_status(void)
{
    uint32_t status = (nkv_ast1030.fifo_size > 0 ? 1u : 0u) |
                      (nkv_ast1030.has_overrun ? 2u : 0u) |
                      (nkv_ast1030.send_fifo_size == 0 ? 0x60u : 0u);

    nkv_ast1030.has_overrun = false;
    return status;
}

static uint32_t read_uart(uint32_t offset)
{
    if (offset == 0x00)
        return take_received();
    if (offset == 0x14)
        return read_line_status();
    violate("a register of the UART that is not read");
    return 0;
}

static void write_fifo_control(uint32_t value)
{
    static const uint8_t triggers[] = {1, 4, 8, 14};

    if ((value & 1) == 0)
        violate("a FIFO that is off");
    if ((value & 2) != 0)
        nkv_ast1030.fifo_size = 0;
    if ((value & 4) != 0)
        nkv_ast1030.send_fifo_size = 0;
    nkv_ast1030.fifo_trigger = triggers[value >> 6 & 3];
}

static void write_uart(uint32_t offset, uint32_t value)
{
    bool is_divisor = (nkv_ast1030.line_control & 0x80) != 0;

    if (offset == 0x00 && is_divisor)
        nkv_ast1030.divisor = (nkv_ast1030.divisor & 0xFF00) | value;
    else if (offset == 0x04 && is_divisor)
        nkv_ast1030.divisor = (nkv_ast1030.divisor & 0xFF) | value << 8;
    else if (offset == 0x00)
        send(value);
    else if (offset == 0x04)
        nkv_ast1030.uart_interrupts = value;
    else if (offset == 0x08)
        write_fifo_control(value);
    else if (offset == 0x0C)
        nkv_ast1030.line_control = value;
    else
        violate("a register of the UART that is not written");
    take_interrupts();
}

/* ---- The rest ------------------------------------------------------------ */

static void write_systick(uintptr_t address, uint32_t value)
{
    if (address == SYSTICK_RELOAD)
        nkv_ast1030.systick_reload = value;
    else if (address == SYSTICK_CONTROL)
        nkv_ast1030.systick_sets++;
    else if (address != SYSTICK_CURRENT)
        violate("a write to where nothing is");
}

uint32_t nkv_register_read(uintptr_t address)
{
    switch (address) {
    case FMC_CONF:
        return nkv_ast1030.fmc_conf;
    case FMC_CTRL_0:
        return nkv_ast1030.fmc_control;
    case TIMER_1_COUNT:
        return ~nkv_ast1030.counter_us;
    case TIMER_CONTROL:
        return 0;
    case WINDOW:
        return read_window(4);
    default:
        return read_uart((uint32_t)(address - UART));
    }
}

void nkv_register_write(uintptr_t address, uint32_t value)
{
    switch (address) {
    case FMC_CONF:
        nkv_ast1030.fmc_conf = value;
        break;
    case FMC_CTRL_0:
        write_control(value);
        break;
    case TIMER_1_COUNT:
    case TIMER_1_RELOAD:
    case TIMER_CONTROL:
    case TIMER_CONTROL_CLEAR:
        break;
    case WINDOW:
        write_window(value, 4);
        break;
    default:
        if (address - UART < 0x20)
            write_uart((uint32_t)(address - UART), value);
        else
            write_systick(address, value);
    }
}

uint8_t nkv_register_read_byte(uintptr_t address)
{
    if (address != WINDOW)
        violate("a byte of a register");
    return (uint8_t)read_window(1);
}

void nkv_register_write_byte(uintptr_t address, uint8_t value)
{
    if (address != WINDOW)
        violate("a byte of a register");
    write_window(value, 1);
}

void nkv_wait_for_writes(void)
{
    nkv_ast1030.is_control_loose = false;
    nkv_ast1030.is_window_loose = false;
}

void nkv_interrupts_off(void)
{
    nkv_ast1030.are_interrupts_on = false;
}

void nkv_interrupts_on(void)
{
    nkv_ast1030.are_interrupts_on = true;
    take_interrupts();
}

void nkv_interrupt_enable(unsigned number)
{
    nkv_ast1030.is_uart_enabled = number == NKV_AST1030_UART5_INTERRUPT;
    take_interrupts();
}

void nkv_ast1030_sleep(void)
{
    if (nkv_ast1030.are_interrupts_on)
        violate("a sleep that may miss an interrupt");
    nkv_ast1030.sleeps++;
    nkv_ast1030.counter_us += 1000;
    if (!nkv_ast1030.is_stuck)
        nkv_ast1030.send_fifo_size = 0;
}
