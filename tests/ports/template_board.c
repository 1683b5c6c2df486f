/*
 * What the template's program needs of start-up, and what happens to it: when
 * it has nothing to do it sleeps, and then the next request comes. After the
 * last answer the program ends; 0: all was as it should be. With
 * NORKV_TEMPLATE_FAULTY in the environment
 * the flash does not erase.
 */
#include "template/start_up.h"
#include "template/template_line.h"
#include "template_chip.h"
#include "template_client.h"

#include <norkv/fault.h>
#include <norkv/status.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLEEPS_MAX = 1000 };

struct turn {
    const char *name;
    void (*send)(void);
    enum nkv_status answer;
    enum nkv_status answer_of_faulty;
};

static const struct turn turns[] = {
    {"Open", template_send_open, NKV_OK, NKV_OK},
    {"Put", template_send_put, NKV_OK, NKV_FAILED_PRECONDITION},
    {"Get", template_send_get, NKV_OK, NKV_FAILED_PRECONDITION},
};
static bool is_faulty;
static bool is_interrupt_on;
static bool are_interrupts_off;
static size_t turn;
static unsigned sleeps;

static void fail(const char *what)
{
    fprintf(stderr, "template: %s\n", what);
    exit(1);
}

void nkv_chip_start(void)
{
    template_chip_reset();
    is_faulty = getenv("NORKV_TEMPLATE_FAULTY") != NULL;
    chip.erases_nothing = is_faulty;
}

uint32_t nkv_chip_random(void)
{
    return 1;
}

const char *nkv_chip_unit_id(void)
{
    return "template-1";
}

void nkv_chip_uart_interrupt_on(void)
{
    is_interrupt_on = true;
    template_send_open();
}

void nkv_chip_interrupts_off(void)
{
    are_interrupts_off = true;
}

void nkv_chip_interrupts_on(void)
{
    are_interrupts_off = false;
}

/* An answer may take several sleeps. */
void nkv_chip_wait(void)
{
    struct nkv_packet answer;
    enum nkv_status expected;

    if (!is_interrupt_on || !are_interrupts_off) {
        fail("sleeps when it must not");
    }
    if (nkv_template_line_has_arrived()) {
        fail("sleeps through a frame");
    }
    if (chip.output_size == 0) {
        if (++sleeps > SLEEPS_MAX) {
            fail("does not answer");
        }
        return;
    }
    answer = template_answer();
    expected = is_faulty ? turns[turn].answer_of_faulty : turns[turn].answer;
    if (answer.status != expected) {
        fail(turns[turn].name);
    }
    if (++turn == sizeof turns / sizeof turns[0]) {
        exit(chip.erases >= 2 ? 0 : 1);
    }
    turns[turn].send();
}
