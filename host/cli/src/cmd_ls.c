/* norkv ls: the keys, sorted by their bytes. */
#include "command.h"
#include "device.h"
#include "operands.h"
#include "records.h"

#include <stdio.h>
#include <string.h>

struct listing {
    struct nkv_records records;
    size_t damaged;
    bool is_partial;
    bool out_of_memory;
};

static bool add(void *context, const struct nkv_client_record *from)
{
    struct listing *listing = context;
    struct nkv_listed record = {
        .version = from->version,
        .value_size = from->value_size,
        .status = from->status,
    };

    /* Of a damaged entry the key may be unknown. */
    if (from->key.size > 0 && from->key.size <= sizeof record.key) {
        memcpy(record.key, from->key.data, from->key.size);
        record.key_size = (uint8_t)from->key.size;
    }
    listing->damaged += from->status != NKV_OK ? 1 : 0;
    listing->out_of_memory = !nkv_records_add(&listing->records, &record);
    return !listing->out_of_memory;
}

static enum nkv_exit scan(const struct nkv_options *options,
                          struct nkv_client *client, struct nkv_span prefix,
                          struct listing *listing)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_LISTING);
    struct nkv_client_scan what = {
        .prefix = prefix, .keys_only = true, .record = add, .context = listing};
    enum nkv_status status = nkv_client_scan(client, &call, &what);

    if (listing->out_of_memory) {
        return nkv_fail_for_memory();
    }
    /* What could be read of a store that did not mount whole is shown. */
    listing->is_partial =
        status == NKV_FAILED_PRECONDITION &&
        nkv_client_reason(client) == NKV_REASON_STORE_READ_ONLY;
    if (status != NKV_OK && !listing->is_partial) {
        return nkv_fail_call(client, status);
    }
    if (what.changed) {
        fputs("norkv: the store was written during the listing: keys may have "
              "come and gone\n",
              stderr);
    }
    return NKV_EXIT_DONE;
}

static enum nkv_exit print(const struct nkv_options *options,
                           const struct nkv_client *client,
                           struct listing *listing)
{
    enum nkv_exit code;

    nkv_records_sort(&listing->records);
    code = nkv_records_print(&listing->records,
                             nkv_given(options, NKV_OPTION_LONG),
                             nkv_given(options, NKV_OPTION_JSON));
    if (code == NKV_EXIT_DONE && listing->is_partial) {
        return nkv_fail_call(client, NKV_FAILED_PRECONDITION);
    }
    if (code == NKV_EXIT_DONE && listing->damaged > 0) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "%s: %zu damaged entries: put their keys again",
                        nkv_client_port(client), listing->damaged);
    }
    return code;
}

enum nkv_exit nkv_run_ls(const struct nkv_options *options, int count,
                         char **operands)
{
    struct listing listing = {0};
    struct nkv_client *client;
    struct nkv_blob prefix;
    enum nkv_exit code =
        nkv_prefix_operand(options, count > 0 ? operands[0] : NULL, &prefix);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_connect(options, NKV_TIMEOUT_LISTING, &client);
    if (code == NKV_EXIT_DONE) {
        code = scan(options, client, nkv_blob_span(&prefix), &listing);
        if (code == NKV_EXIT_DONE) {
            code = print(options, client, &listing);
        }
        nkv_client_free(&client);
    }
    nkv_records_free(&listing.records);
    nkv_blob_free(&prefix);
    return code;
}
