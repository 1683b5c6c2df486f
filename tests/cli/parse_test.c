/* How norkv reads and shows what people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hex.h>
#include <script.h>
#include <settings.h>
#include <stdio.h>
#include <string.h>
#include <text.h>
#include <words.h>

static struct nkv_span span(const char *text, size_t size)
{
    return (struct nkv_span){(const uint8_t *)text, size};
}

#define SPAN(literal) span(literal, sizeof(literal) - 1)

static void hex_goes_both_ways(void **state)
{
    uint8_t bytes[4];
    char digits[9];

    (void)state;
    assert_true(nkv_hex_decode("00aAfF7e", 8, bytes));
    assert_memory_equal(bytes, "\x00\xaa\xff\x7e", 4);
    nkv_hex_encode((struct nkv_span){bytes, 4}, digits);
    assert_string_equal(digits, "00aaff7e");
    assert_true(nkv_hex_decode("", 0, bytes));
    assert_false(nkv_hex_decode("0", 1, bytes));
    assert_false(nkv_hex_decode("0g", 2, bytes));
    assert_false(nkv_hex_decode("g0", 2, bytes));
    assert_false(nkv_hex_decode("0 ", 2, bytes));
    assert_false(nkv_hex_decode("-1", 2, bytes));
}

static void only_well_formed_utf8_is_utf8(void **state)
{
    (void)state;
    assert_true(nkv_is_utf8(SPAN("")));
    assert_true(nkv_is_utf8(SPAN("a\0b\n\x7f")));
    assert_true(nkv_is_utf8(SPAN("\xc2\x80\xdf\xbf")));
    assert_true(nkv_is_utf8(SPAN("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80")));
    assert_true(nkv_is_utf8(SPAN("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
    /* A lone continuation, a lead without its rest. */
    assert_false(nkv_is_utf8(SPAN("\x80")));
    assert_false(nkv_is_utf8(SPAN("\xc3")));
    assert_false(nkv_is_utf8(SPAN("\xe2\x82")));
    assert_false(nkv_is_utf8(SPAN("\xf0\x90\x80")));
    assert_false(nkv_is_utf8(SPAN("\xc3x")));
    /* Longer than needed, surrogates, beyond the last. */
    assert_false(nkv_is_utf8(SPAN("\xc0\x80")));
    assert_false(nkv_is_utf8(SPAN("\xe0\x9f\xbf")));
    assert_false(nkv_is_utf8(SPAN("\xf0\x8f\xbf\xbf")));
    assert_false(nkv_is_utf8(SPAN("\xed\xa0\x80")));
    assert_false(nkv_is_utf8(SPAN("\xf4\x90\x80\x80")));
    assert_false(nkv_is_utf8(SPAN("\xf8\x88\x80\x80\x80")));
    assert_false(nkv_is_utf8(SPAN("\xff")));
}

static void what_a_terminal_would_obey_is_not_printable(void **state)
{
    (void)state;
    assert_true(nkv_is_printable(SPAN("")));
    assert_true(nkv_is_printable(SPAN("a b~")));
    assert_true(nkv_is_printable(SPAN("\xc2\xa0\xc3\xa9\xe2\x82\xac")));
    assert_false(nkv_is_printable(SPAN("\n")));
    assert_false(nkv_is_printable(SPAN("a\x1b[2J")));
    assert_false(nkv_is_printable(SPAN("\0")));
    assert_false(nkv_is_printable(SPAN("\x7f")));
    assert_false(nkv_is_printable(SPAN("\xc2\x9b")));
    assert_false(nkv_is_printable(SPAN("\xe2\x80\xa8")));
    assert_false(nkv_is_printable(SPAN("\xe2\x80\xae")));
    assert_false(nkv_is_printable(SPAN("\xff")));
}

static void expect_shown(struct nkv_span bytes, const char *wanted)
{
    char shown[NKV_SHOW_SIZE(80)];

    assert_string_equal(nkv_show(bytes, shown), wanted);
}

static void text_that_looks_like_hex_is_shown_as_hex(void **state)
{
    (void)state;
    expect_shown(SPAN(""), "");
    expect_shown(SPAN("serial"), "serial");
    expect_shown(SPAN("a\0b"), "hex:610062");
    expect_shown(SPAN("hex"), "hex");
    expect_shown(SPAN("hex:61"), "hex:6865783a3631");
}

static void long_names_are_cut_between_characters(void **state)
{
    char shown[NKV_SHOW_SHORT_SIZE];
    char accents[81];

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        memcpy(&accents[2 * i], "\xc3\xa9", 2);
    }
    nkv_show_short(span(accents, 80), shown);
    assert_true(nkv_is_printable(span(shown, strlen(shown))));
    assert_string_equal(shown + strlen(shown) - 3, "...");
    memset(accents, 0, sizeof accents);
    nkv_show_short(span(accents, 80), shown);
    assert_memory_equal(shown, "hex:0000", 8);
    assert_string_equal(nkv_show_short(SPAN("short"), shown), "short");
}

static void what_a_terminal_would_obey_is_escaped(void **state)
{
    char text[NKV_ESCAPE_SIZE(32)];

    (void)state;
    assert_string_equal(nkv_escape(SPAN("a\tb \xc3\xa9 c"), text),
                        "a\tb \xc3\xa9 c");
    assert_string_equal(nkv_escape(SPAN("\x1b[31mred\x1b[0m\0"), text),
                        "\\x1b[31mred\\x1b[0m\\x00");
    assert_string_equal(nkv_escape(SPAN("\xff\xc3 \xc2\x9b"
                                        "2J\xe2\x80\xae"),
                                   text),
                        "\\xff\\xc3 \\xc2\\x9b2J\\xe2\\x80\\xae");
    assert_string_equal(nkv_escape(SPAN(""), text), "");
}

static void rows_keep_their_line_behind_quoted_newlines(void **state)
{
    static const char csv[] = "key,encoding,value\r\n"
                              "a,text,\"one\r\ntwo\r\n\"\r\n"
                              "\r\n"
                              "b,hex,00ff\r\n";
    struct nkv_settings settings;
    struct nkv_parse_error error;

    (void)state;
    assert_true(nkv_settings_parse(SPAN(csv), false, &settings, &error));
    assert_int_equal(settings.count, 2);
    assert_int_equal(settings.items[0].line, 2);
    assert_int_equal(settings.items[0].value_size, 10);
    assert_memory_equal(settings.items[0].value, "one\r\ntwo\r\n", 10);
    assert_int_equal(settings.items[1].line, 6);
    assert_int_equal(settings.items[1].encoding, NKV_ENCODING_HEX);
    assert_memory_equal(settings.items[1].value, "\x00\xff", 2);
    nkv_settings_free(&settings);
}

/* A cut at the end of a row cannot be seen. */
static void a_file_that_was_cut_is_refused(void **state)
{
    static const char csv[] = "key,encoding,value,note\n"
                              "serial,text,SN-0001,on the label\n"
                              "mac,hex,00AAbbccDDEE,\n"
                              "cert,text,\"BEGIN\nMII\"\"B\"\"\nEND\n\",x\n"
                              "region,text,\" EU, UK \",blanks stay\n"
                              "empty,text,,\n";
    static const size_t row_ends[] = {57, 79, 113, 148};
    const size_t size = sizeof csv - 1;
    size_t taken = 0;

    (void)state;
    for (size_t cut = 0; cut < size; cut++) {
        struct nkv_settings settings;
        struct nkv_parse_error error = {0};

        if (nkv_settings_parse(span(csv, cut), false, &settings, &error)) {
            assert_in_range(taken, 0, 3);
            assert_int_equal(cut, row_ends[taken]);
            taken++;
        } else {
            assert_true(error.line > 0 && error.text[0] != '\0');
        }
        nkv_settings_free(&settings);
    }
    assert_int_equal(taken, 4);
}

static void many_settings_are_all_kept(void **state)
{
    enum { COUNT = 1000, ROW = 24 };
    static char csv[32 + COUNT * ROW];
    size_t size = (size_t)snprintf(csv, sizeof csv, "key,encoding,value\n");
    struct nkv_settings settings;
    struct nkv_parse_error error;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        size += (size_t)snprintf(csv + size, sizeof csv - size,
                                 "key%d,text,%d\n", i, i);
    }
    assert_true(nkv_settings_parse(span(csv, size), false, &settings, &error));
    assert_int_equal(settings.count, COUNT);
    assert_string_equal((char *)settings.items[999].key, "key999");
    assert_string_equal((char *)settings.items[999].value, "999");
    nkv_settings_free(&settings);
}

static void a_script_gives_its_commands_in_order(void **state)
{
    struct nkv_script script;
    struct nkv_parse_error error;

    (void)state;
    assert_true(nkv_script_parse(SPAN("put 6b 7631\n\n# x\nget -\nremount"),
                                 &script, &error));
    assert_int_equal(script.count, 3);
    assert_int_equal(script.commands[0].verb, NKV_SCRIPT_PUT);
    assert_int_equal(script.commands[0].key.size, 1);
    assert_memory_equal(script.commands[0].value.data, "v1", 2);
    assert_int_equal(script.commands[1].verb, NKV_SCRIPT_GET);
    assert_int_equal(script.commands[1].key.size, 0);
    assert_int_equal(script.commands[2].verb, NKV_SCRIPT_REMOUNT);
    nkv_script_free(&script);
}

static void a_malformed_line_is_named(void **state)
{
    struct nkv_script script;
    struct nkv_parse_error error;

    (void)state;
    assert_false(nkv_script_parse(SPAN("get 6b\n\nget 6\n"), &script, &error));
    assert_int_equal(error.line, 3);
    assert_null(script.commands);
    assert_false(nkv_script_parse(SPAN("get\0 6b\n"), &script, &error));
    assert_int_equal(error.line, 1);
}

static void expect_words(const char *line, const char *const *expected)
{
    struct nkv_words words;
    size_t count = 0;

    assert_null(nkv_words_split(line, &words));
    while (expected[count] != NULL) {
        assert_true(count < words.count);
        assert_string_equal(words.list[count], expected[count]);
        count++;
    }
    assert_int_equal(words.count, count);
    assert_null(words.list[count]);
    nkv_words_free(&words);
}

#define WORDS(...)                                                             \
    (const char *const[])                                                      \
    {                                                                          \
        __VA_ARGS__, NULL                                                      \
    }

static void words_are_those_of_a_shell(void **state)
{
    (void)state;
    expect_words("a", WORDS("a"));
    expect_words(" put\tk  v \r\n", WORDS("put", "k", "v"));
    expect_words("'a b'\"c 'd'\"e\\ f", WORDS("a bc 'd'e f"));
    expect_words("'' \"\" x", WORDS("", "", "x"));
    expect_words("'\\' \"\\\\\\\"\\n\"", WORDS("\\", "\\\"\\n"));
    expect_words("a#b $HOME * # c 'd", WORDS("a#b", "$HOME", "*"));
    expect_words("# all", WORDS(NULL));
    expect_words("", WORDS(NULL));
}

static void a_line_that_goes_on_is_refused(void **state)
{
    static const char *const lines[] = {"a 'b", "a \"b", "\"a\\\"", "a\\"};
    struct nkv_words words;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_non_null(nkv_words_split(lines[i], &words));
        assert_int_equal(words.count, 0);
        assert_null(words.list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(only_well_formed_utf8_is_utf8),
        cmocka_unit_test(what_a_terminal_would_obey_is_not_printable),
        cmocka_unit_test(text_that_looks_like_hex_is_shown_as_hex),
        cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
        cmocka_unit_test(rows_keep_their_line_behind_quoted_newlines),
        cmocka_unit_test(a_file_that_was_cut_is_refused),
        cmocka_unit_test(many_settings_are_all_kept),
        cmocka_unit_test(a_script_gives_its_commands_in_order),
        cmocka_unit_test(a_malformed_line_is_named),
        cmocka_unit_test(words_are_those_of_a_shell),
        cmocka_unit_test(a_line_that_goes_on_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
