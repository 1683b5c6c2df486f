/* Why nobody answers, by what was heard instead: the layer that is wrong, and
 * what to do about it. */
#include "link.h"

#include <string.h>

void nkv_heard_byte(struct nkv_heard *heard, uint8_t byte)
{
    unsigned changes = (byte ^ (byte >> 1)) & 0x7fu;
    heard->bytes++;
    heard->flags += byte == NKV_HDLC_FLAG;
    heard->printable += (byte >= 0x20 && byte < 0x7f) || byte == '\n' ||
                        byte == '\r' || byte == '\t';
    heard->smooth += (changes & (changes - 1)) == 0;
}

static struct nkv_heard difference(const struct nkv_heard *now,
                                   const struct nkv_heard *before)
{
    return (struct nkv_heard){
        .bytes = now->bytes - before->bytes,
        .printable = now->printable - before->printable,
        .smooth = now->smooth - before->smooth,
        .flags = now->flags - before->flags,
        .packets = now->packets - before->packets,
        .echoes = now->echoes - before->echoes,
        .others = now->others - before->others,
        .bad = now->bad - before->bad,
    };
}

static bool is_text(const struct nkv_heard *heard)
{
    return heard->bytes > 0 &&
           heard->printable >= heard->bytes - heard->bytes / 20;
}

/* The first line of the greeting, as far as it was kept. */
static void copy_greeting(const struct nkv_link *link,
                          char text[NKV_LINK_GREETING_MAX + 1])
{
    size_t size = link->heard.bytes < NKV_LINK_GREETING_MAX
                      ? (size_t)link->heard.bytes
                      : NKV_LINK_GREETING_MAX;
    memcpy(text, link->greeting, size);
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    nkv_text_make_safe(text);
}

/* ---- Telnet ----------------------------------------------------------- */

/* IAC, then WILL, WONT, DO or DONT, then an option that there is. */
static bool is_telnet_command(const uint8_t command[3])
{
    enum { IAC = 0xff, WILL = 0xfb, DONT = 0xfe, OPTIONS_MAX = 60 };
    return command[0] == IAC && command[1] >= WILL && command[1] <= DONT &&
           command[2] < OPTIONS_MAX;
}

/* A Telnet server begins with what it wants to agree on. */
static bool is_telnet(const struct nkv_link *link)
{
    enum { SIZE = 3 };
    return link->heard.bytes >= (uint64_t)2 * SIZE &&
           is_telnet_command(link->greeting) &&
           is_telnet_command(link->greeting + SIZE);
}

static void add_telnet(struct nkv_text *why)
{
    nkv_text_add(why, "the other end speaks Telnet (RFC 2217), which changes "
                      "bytes: have it pass them as they are, in ser2net.yaml "
                      "by 'accepter: tcp,PORT' in the place of 'accepter: "
                      "telnet(rfc2217),tcp,PORT'");
}

/* ---- A line that is dead ---------------------------------------------- */

void nkv_link_explain_death(const struct nkv_link *link, struct nkv_text *why)
{
    const struct nkv_heard *heard = &link->heard;
    char greeting[NKV_LINK_GREETING_MAX + 1];
    copy_greeting(link, greeting);
    if (heard->packets == 0 && greeting[0] != '\0' && is_text(heard)) {
        nkv_text_add(why,
                     "the other end hung up, saying \"%s\" (if another client "
                     "uses the port, end that one first; else check that this "
                     "is the device's port)",
                     greeting);
        return;
    }
    nkv_text_add(why,
                 "the port is gone: %s (unplugged, or the other end has "
                 "closed it",
                 link->error == 0 ? "end of file" : strerror(link->error));
    nkv_text_add(why, heard->bytes == 0
                          ? " without a word: is it in use by another client?)"
                          : ": connect it again and repeat the command)");
    if (is_telnet(link)) {
        nkv_text_add(why, "; ");
        add_telnet(why);
    }
}

/* ---- A device that does not answer ------------------------------------ */

static void add_text(const struct nkv_link *link, struct nkv_text *why)
{
    nkv_text_add(why, "text came but no answer");
    if (link->prose.last[0] != '\0')
        nkv_text_add(why, ", last \"%s\"", link->prose.last);
    nkv_text_add(why, " (a boot loader, a console, or another program that "
                      "talks on this port; 'norkv log' shows it)");
}

/* No flag among many bytes, or no good frame between flags. */
static void add_noise(const struct nkv_link *link,
                      const struct nkv_heard *heard, struct nkv_text *why)
{
    enum { FEW = 16 };
    unsigned long baud = link->transport.baud;
    if (heard->flags == 0)
        nkv_text_add(why, "%llu bytes came but no frames",
                     (unsigned long long)heard->bytes);
    else
        nkv_text_add(why, "frames came, but all were damaged");
    if (baud != 0 && heard->bytes >= FEW && heard->smooth >= heard->bytes / 2)
        nkv_text_add(why,
                     " (%lu baud is too high: they look like those of a "
                     "slower line; give its rate with --baud)",
                     baud);
    else if (heard->flags == 0)
        nkv_text_add(why, " (wrong baud rate?)");
    else
        nkv_text_add(why, " (wrong baud rate, or a bad cable?)");
}

static void add_layer(const struct nkv_link *link,
                      const struct nkv_heard *heard, struct nkv_text *why)
{
    if (heard->bytes == 0)
        nkv_text_add(why, "not a byte came back (is the device on and "
                          "connected, and is this its port?)");
    else if (heard->echoes != 0)
        nkv_text_add(why, "the line sends back what is sent to it (look for "
                          "a loopback plug, RX and TX joined, or a terminal "
                          "that echoes)");
    else if (heard->packets != 0)
        nkv_text_add(why, "packets came, but no answer to this call (the line "
                          "is bad or the device slow: give it more time)");
    else if (is_text(heard))
        add_text(link, why);
    else if (heard->others != 0)
        nkv_text_add(why, "frames came, but none with an RPC packet (is this "
                          "the device's port?)");
    else
        add_noise(link, heard, why);
}

void nkv_link_explain_silence(const struct nkv_link *link,
                              const struct nkv_heard *before,
                              struct nkv_text *why)
{
    struct nkv_heard heard = difference(&link->heard, before);
    if (is_telnet(link))
        add_telnet(why);
    else
        add_layer(link, &heard, why);
}
