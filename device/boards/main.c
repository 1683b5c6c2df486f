/*
 * The firmware of all boards: a store and a server over it, static, and the
 * loop that drives them. The processor sleeps when there is nothing to do.
 */
#include "board.h"
#include "board_sizes.h"
#include "cortex_m.h"
#include "line_quiet.h"
#include "sleep.h"

#include <norkv/hdlc.h>
#include <norkv/receive_ring.h>
#include <norkv/services.h>

enum {
    /* Idle work may make the part deaf: it is done only after so long a
     * silence, so that it does not fall into the next request of a client that
     * has just got an answer. */
    QUIET_MS = 100
};

/* What nkv_server_init would refuse, and a device could not tell anybody. */
_Static_assert((size_t)NKV_BOARD_MAX_FRAME >= NKV_SERVER_FRAME_MIN, "frames");
_Static_assert((size_t)NKV_BOARD_MAX_PACKET >= NKV_SERVER_PACKET_MIN,
               "packets");
_Static_assert(NKV_BOARD_CALLS >= 2 && NKV_BOARD_CALLS <= 16, "calls");
_Static_assert(NKV_BOARD_CLIENTS >= 2 && NKV_BOARD_ANSWERS >= 1, "clients");
/* What Open tells must find room, whatever the bytes are. */
_Static_assert((size_t)NKV_BOARD_RING >= NKV_RECEIVE_RING_MIN, "small ring");
_Static_assert((size_t)NKV_BOARD_RING <= NKV_RECEIVE_RING_MAX, "large ring");
_Static_assert(NKV_RECEIVE_RING_WINDOW(NKV_BOARD_RING) >= NKV_BOARD_MAX_FRAME,
               "a ring smaller than a frame");
_Static_assert(NKV_RECEIVE_RING_WINDOW(NKV_BOARD_RING) >= NKV_BOARD_RX_WINDOW,
               "a ring smaller than the window");

NKV_DEFINE_MEMORY(store_memory, NKV_BOARD_MAX_KEYS, NKV_BOARD_COPIES,
                  NKV_BOARD_SECTORS, NKV_BOARD_BUFFER);
NKV_DEFINE_SERVER_MEMORY(server_memory, NKV_BOARD_MAX_FRAME,
                         NKV_BOARD_MAX_PACKET, NKV_BOARD_CALLS,
                         NKV_BOARD_CLIENTS, NKV_BOARD_ANSWERS);
static uint8_t ring_memory[NKV_BOARD_RING];
static struct nkv_receive_ring ring;
static struct nkv_line_quiet quiet;
static struct nkv_config store_config;
static struct nkv_store store;
static struct nkv_server_store served;
static struct nkv_server_config server_config;
static struct nkv_server server;

/*
 * A frame may be complete: set by the line's interrupt, cleared by the main
 * program. volatile makes each use an access of its own; a byte is read and
 * written in one. It orders nothing else: the bytes themselves go through the
 * ring, which has atomics of its own.
 */
static volatile bool arrived_flag;

static void receive(uint8_t byte)
{
    nkv_receive_ring_put(&ring, byte);
    nkv_line_quiet_note(&quiet);
    if (byte == NKV_HDLC_FLAG) {
        arrived_flag = true;
    }
}

static void overrun(void)
{
    nkv_receive_ring_lose(&ring, 1);
}

static size_t read_line(void *context, uint8_t *to, size_t capacity)
{
    return nkv_receive_ring_read(context, to, capacity);
}

static uint32_t now_ms(void *context)
{
    (void)context;
    return nkv_board_now_ms();
}

static bool is_line_quiet(void *context)
{
    (void)context;
    return nkv_line_quiet_is(&quiet, nkv_board_now_ms(), QUIET_MS);
}

/* A store that does not mount is served as far as it goes: the status says
 * why, and nothing is erased unless a host asks for it. */
static void start_store(const struct nkv_board *board)
{
    store_config = (struct nkv_config){
        .flash = board->flash,
        .memory = store_memory,
        .max_keys = NKV_BOARD_MAX_KEYS,
        .copies = NKV_BOARD_COPIES,
    };
    served = (struct nkv_server_store){
        .name = "main",
        .store = &store,
        .config = &store_config,
        .fault = board->fault,
        .fault_detail = board->fault_detail,
    };
    nkv_server_mount(&served);
}

static enum nkv_status start_server(const struct nkv_board *board)
{
    server_config = (struct nkv_server_config){
        .services = &NKV_BOARD_SERVICES,
        .product = board->product,
        .unit_id = board->unit_id,
        .firmware = NKV_VERSION,
        .stores = &served,
        .store_count = 1,
        .stream = {.context = &ring,
                   .read = read_line,
                   .write = nkv_board_write,
                   .is_quiet = is_line_quiet},
        .now_ms = now_ms,
        .boot_id = board->boot_id,
        .rx_window = NKV_BOARD_RX_WINDOW,
        .stall_max_ms = NKV_BOARD_STALL_MAX_MS,
        .memory = server_memory,
    };
    return nkv_server_init(&server, &server_config);
}

int main(void)
{
    const struct nkv_board *board;

    nkv_receive_ring_init(&ring,
                          (struct nkv_buffer){ring_memory, sizeof ring_memory});
    board = nkv_board_start(receive, overrun);
    start_store(board);
    /* It could only be a board's texts that are too long for Open: with these
     * it never ran. */
    if (start_server(board) != NKV_OK) {
        nkv_system_reset();
    }
    for (;;) {
        bool more = nkv_server_poll(&server);

        nkv_server_count_overruns(&server,
                                  nkv_receive_ring_take_overruns(&ring));
        if (!more) {
            nkv_sleep_unless(&arrived_flag);
            /* What it told is read by the poll that follows. */
            arrived_flag = false;
        }
    }
}
