#define _DEFAULT_SOURCE
#include "nrf51_model.h"
#include "cortex_m.h"
#include "nrf51_uart.h"

#include <string.h>
#include <sys/mman.h>

enum {
    CLOCK = 0x40000,
    UART = 0x40002,
    TIMER = 0x40008,
    RNG = 0x4000D,
    NVMC = 0x4001E,
    FICR = 0x10000,
    GPIO = 0x50000,
    PAGE = 1024,
    INT_RXDRDY = 1 << 2,
    INT_TXDRDY = 1 << 7,
    INT_ERROR = 1 << 9
};

struct nkv_nrf51_model nkv_nrf51;

static void violate(const char *what)
{
    if (nkv_nrf51.violation == NULL)
        nkv_nrf51.violation = what;
}

void nkv_nrf51_reset(void)
{
    nkv_nrf51_end();
    memset(&nkv_nrf51, 0, sizeof nkv_nrf51);
    /* Addresses of 32 bits, as on the chip. */
    nkv_nrf51.flash = mmap(NULL, NKV_NRF51_FLASH_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (nkv_nrf51.flash == MAP_FAILED) {
        nkv_nrf51.flash = NULL;
        violate("the test has no memory");
        return;
    }
    memset(nkv_nrf51.flash, 0xFF, NKV_NRF51_FLASH_SIZE);
    nkv_nrf51.flash_start = (uint32_t)(uintptr_t)nkv_nrf51.flash;
    nkv_nrf51.chip_pages = nkv_nrf51.flash_start / PAGE + NKV_NRF51_FLASH_PAGES;
    nkv_nrf51.busy_looks = 3;
    nkv_nrf51.send_sleeps = 1;
    nkv_nrf51.random_looks = 5;
    nkv_nrf51.crystal_looks = 5;
    nkv_nrf51.are_interrupts_on = true;
}

void nkv_nrf51_end(void)
{
    if (nkv_nrf51.flash != NULL)
        munmap(nkv_nrf51.flash, NKV_NRF51_FLASH_SIZE);
    nkv_nrf51.flash = NULL;
}

/* ---- Flash ------------------------------------------------------------ */

static void begin_operation(uint32_t config)
{
    if (nkv_nrf51.nvmc_config != config)
        violate("an operation that was not enabled");
    if (nkv_nrf51.busy_left > 0)
        violate("an operation while the flash is busy");
    nkv_nrf51.busy_left = nkv_nrf51.busy_looks;
}

static void write_word(uint32_t address, uint32_t value)
{
    uint8_t *at = nkv_nrf51.flash + (address - nkv_nrf51.flash_start);

    begin_operation(1);
    if (address % 4 != 0)
        violate("a word that is not aligned");
    for (int i = 0; i < 4; i++)
        at[i] &= (uint8_t)(value >> (8 * i));
    nkv_nrf51.words_programmed++;
}

static void erase_page(uint32_t address)
{
    uint32_t offset = address - nkv_nrf51.flash_start;

    begin_operation(2);
    if (offset % PAGE != 0 || offset >= NKV_NRF51_FLASH_SIZE) {
        violate("an erase of no page of the store");
        return;
    }
    memset(nkv_nrf51.flash + offset, 0xFF, PAGE);
    nkv_nrf51.pages_erased++;
}

static uint32_t read_nvmc(uint32_t offset)
{
    if (offset != 0x400)
        violate("a register of the NVMC that is not READY");
    if (nkv_nrf51.busy_left == 0)
        return 1;
    nkv_nrf51.busy_left -= nkv_nrf51.busy_left != UINT32_MAX;
    return 0;
}

static void write_nvmc(uint32_t offset, uint32_t value)
{
    if (offset == 0x504)
        nkv_nrf51.nvmc_config = value;
    else if (offset == 0x508)
        erase_page(value);
    else
        violate("a register of the NVMC");
}

/* ---- UART ------------------------------------------------------------- */

static bool is_uart_pending(void)
{
    uint32_t events = (nkv_nrf51.rx_ready ? INT_RXDRDY : 0u) |
                      (nkv_nrf51.tx_ready ? INT_TXDRDY : 0u) |
                      (nkv_nrf51.uart_error ? INT_ERROR : 0u);

    return (events & nkv_nrf51.uart_interrupts) != 0 &&
           (nkv_nrf51.enabled_interrupts >> NKV_NRF51_UART0_INTERRUPT & 1) != 0;
}

/* An interrupt whose cause its handler leaves is taken for ever. */
static void take_interrupts(void)
{
    if (!nkv_nrf51.are_interrupts_on || nkv_nrf51.is_in_handler ||
        !is_uart_pending())
        return;
    nkv_nrf51.is_in_handler = true;
    nkv_nrf51_uart_interrupt();
    nkv_nrf51.is_in_handler = false;
    if (is_uart_pending())
        violate("a handler that leaves its interrupt pending");
}

/* With an error pending nothing more is received. */
static void arrive(uint8_t byte)
{
    if (nkv_nrf51.uart_error)
        return;
    if (nkv_nrf51.fifo_size == NKV_NRF51_FIFO) {
        nkv_nrf51.uart_error = true;
        nkv_nrf51.error_source |= 1;
        return;
    }
    nkv_nrf51.fifo[nkv_nrf51.fifo_size++] = byte;
    if (nkv_nrf51.fifo_size == 1)
        nkv_nrf51.rx_ready = true;
}

void nkv_nrf51_line_byte(uint8_t byte)
{
    arrive(byte);
    take_interrupts();
}

void nkv_nrf51_line_bytes_at_once(const char *bytes)
{
    while (*bytes != '\0')
        arrive((uint8_t)*bytes++);
    take_interrupts();
}

/* The event of the byte behind it comes at once: a driver that clears it
 * afterwards loses that. */
static uint8_t take_received(void)
{
    uint8_t byte = nkv_nrf51.fifo[0];

    if (nkv_nrf51.fifo_size == 0) {
        violate("RXD is read though nothing came");
        return 0;
    }
    nkv_nrf51.fifo_size--;
    memmove(nkv_nrf51.fifo, nkv_nrf51.fifo + 1, nkv_nrf51.fifo_size);
    if (nkv_nrf51.fifo_size > 0)
        nkv_nrf51.rx_ready = true;
    return byte;
}

static void send(uint8_t byte)
{
    if (nkv_nrf51.is_sending || nkv_nrf51.sent_size == NKV_NRF51_SENT_MAX) {
        violate("a byte before the one in front of it has left");
        return;
    }
    nkv_nrf51.sent[nkv_nrf51.sent_size++] = byte;
    nkv_nrf51.is_sending = true;
    nkv_nrf51.send_left = nkv_nrf51.send_sleeps;
}

static void go_on_sending(void)
{
    if (!nkv_nrf51.is_sending || nkv_nrf51.send_left == UINT32_MAX)
        return;
    if (nkv_nrf51.send_left > 0)
        nkv_nrf51.send_left--;
    if (nkv_nrf51.send_left == 0) {
        nkv_nrf51.is_sending = false;
        nkv_nrf51.tx_ready = true;
    }
}

static uint32_t read_uart(uint32_t offset)
{
    switch (offset) {
    case 0x108:
        return nkv_nrf51.rx_ready;
    case 0x11C:
        return nkv_nrf51.tx_ready;
    case 0x124:
        return nkv_nrf51.uart_error;
    case 0x480:
        return nkv_nrf51.error_source;
    case 0x518:
        return take_received();
    default:
        violate("a register of the UART that is not read");
        return 0;
    }
}

static void write_uart(uint32_t offset, uint32_t value)
{
    if (offset == 0x108)
        nkv_nrf51.rx_ready = value != 0;
    else if (offset == 0x11C)
        nkv_nrf51.tx_ready = value != 0;
    else if (offset == 0x124)
        nkv_nrf51.uart_error = value != 0;
    else if (offset == 0x304)
        nkv_nrf51.uart_interrupts |= value;
    else if (offset == 0x308)
        nkv_nrf51.uart_interrupts &= ~value;
    else if (offset == 0x480)
        nkv_nrf51.error_source &= ~value;
    else if (offset == 0x51C)
        send((uint8_t)value);
    take_interrupts();
}

/* ---- The rest --------------------------------------------------------- */

static uint32_t read_timer(uint32_t offset)
{
    return offset == 0x544 ? nkv_nrf51.captured_us : 0;
}

static void write_timer(uint32_t offset, uint32_t value)
{
    if (offset == 0x044)
        nkv_nrf51.captured_us = nkv_nrf51.counter_us;
    else if (offset == 0x540) {
        nkv_nrf51.counter_us += nkv_nrf51.halt_us;
        nkv_nrf51.halt_us = 0;
        nkv_nrf51.alarm_us = value;
    }
}

static bool answers(uint32_t *looks)
{
    if (*looks == 0)
        return true;
    *looks -= *looks != UINT32_MAX;
    return false;
}

static uint32_t read_random(uint32_t offset)
{
    if (offset == 0x100)
        return answers(&nkv_nrf51.random_left);
    return ++nkv_nrf51.random_next;
}

static void write_random(uint32_t offset)
{
    /* Started, or its byte was taken. */
    if (offset == 0x000 || offset == 0x100)
        nkv_nrf51.random_left = nkv_nrf51.random_looks;
}

uint32_t nkv_register_read(uintptr_t address)
{
    uint32_t offset = address & 0xFFF;

    switch (address >> 12) {
    case CLOCK:
        return answers(&nkv_nrf51.crystal_looks);
    case UART:
        return read_uart(offset);
    case TIMER:
        return read_timer(offset);
    case RNG:
        return read_random(offset);
    case NVMC:
        return read_nvmc(offset);
    case FICR:
        return offset == 0x010 ? PAGE : nkv_nrf51.chip_pages;
    default:
        violate("a register that is not read");
        return 0;
    }
}

void nkv_register_write(uintptr_t address, uint32_t value)
{
    uint32_t offset = address & 0xFFF;

    if (address - nkv_nrf51.flash_start < NKV_NRF51_FLASH_SIZE) {
        write_word((uint32_t)address, value);
        return;
    }
    switch (address >> 12) {
    case CLOCK:
    case GPIO:
        break;
    case UART:
        write_uart(offset, value);
        break;
    case TIMER:
        write_timer(offset, value);
        break;
    case RNG:
        write_random(offset);
        break;
    case NVMC:
        write_nvmc(offset, value);
        break;
    default:
        violate("a write to where nothing is");
    }
}

void nkv_interrupts_off(void)
{
    nkv_nrf51.are_interrupts_on = false;
}

void nkv_interrupts_on(void)
{
    nkv_nrf51.are_interrupts_on = true;
    take_interrupts();
}

void nkv_interrupt_enable(unsigned number)
{
    nkv_nrf51.enabled_interrupts |= 1u << number;
    take_interrupts();
}

void nkv_nrf51_sleep(void)
{
    if (nkv_nrf51.are_interrupts_on)
        violate("a sleep that may miss an interrupt");
    if (is_uart_pending())
        return;
    nkv_nrf51.counter_us += 1000;
    go_on_sending();
}
