/* The latency timer of FTDI adapters, in a sysfs made by hand. */
#include "test.h"
#include "transport.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct sysfs {
    char root[32];
    char device[96];
    char timer[128];
};

static void make_folder(const struct sysfs *sysfs, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s%s", sysfs->root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void write_timer(const struct sysfs *sysfs, const char *text)
{
    FILE *file = fopen(sysfs->timer, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void open_sysfs(struct sysfs *sysfs)
{
    snprintf(sysfs->root, sizeof(sysfs->root), "/tmp/norkv-sysfs-XXXXXX");
    assert_non_null(mkdtemp(sysfs->root));
    make_folder(sysfs, "/bus");
    make_folder(sysfs, "/bus/usb-serial");
    make_folder(sysfs, "/bus/usb-serial/devices");
    make_folder(sysfs, "/bus/usb-serial/devices/ttyUSB7");
    snprintf(sysfs->device, sizeof(sysfs->device),
             "%s/bus/usb-serial/devices/ttyUSB7", sysfs->root);
    snprintf(sysfs->timer, sizeof(sysfs->timer), "%s/latency_timer",
             sysfs->device);
}

static void close_sysfs(const struct sysfs *sysfs)
{
    static const char *const folders[] = {"/bus/usb-serial/devices",
                                          "/bus/usb-serial", "/bus", ""};
    char path[128];
    (void)unlink(sysfs->timer);
    (void)rmdir(sysfs->timer);
    assert_int_equal(rmdir(sysfs->device), 0);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", sysfs->root, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
}

static void lower(const struct sysfs *sysfs, struct nkv_text *hint)
{
    struct nkv_port_request request = {
        .path = "/dev/ttyUSB7",
        .sysfs = sysfs->root,
        .hint = hint,
    };
    nkv_latency_timer_lower(&request, -1);
}

static void a_long_timer_is_lowered(void **state)
{
    (void)state;
    struct sysfs sysfs;
    struct nkv_text hint = {0};
    char text[8];
    open_sysfs(&sysfs);
    write_timer(&sysfs, "16\n");
    lower(&sysfs, &hint);
    assert_string_equal(hint.text, "");
    FILE *file = fopen(sysfs.timer, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "1\n");
    close_sysfs(&sysfs);
}

/* Root may write any file, so a child that is nobody tries. */
static void a_timer_that_may_not_be_set_gives_a_hint(void **state)
{
    (void)state;
    struct sysfs sysfs;
    int ends[2];
    char text[NKV_TEXT_SIZE] = "";
    char wanted[NKV_TEXT_SIZE];
    open_sysfs(&sysfs);
    write_timer(&sysfs, "16\n");
    assert_int_equal(chmod(sysfs.timer, 0444), 0);
    assert_int_equal(chmod(sysfs.root, 0755), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct nkv_text hint = {0};
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        lower(&sysfs, &hint);
        _exit(write(ends[1], hint.text, hint.size + 1) > 0 ? 0 : 1);
    }
    close(ends[1]);
    assert_true(read(ends[0], text, sizeof(text)) > 0);
    close(ends[0]);
    snprintf(wanted, sizeof(wanted), "for 16 ms: 'echo 1 | sudo tee %s'",
             sysfs.timer);
    assert_non_null(strstr(text, wanted));
    close_sysfs(&sysfs);
}

static void a_short_timer_and_other_adapters_are_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"1\n", "0\n", "", "none\n", "-5\n"};
    struct sysfs sysfs;
    struct stat file;
    struct nkv_text hint = {0};
    open_sysfs(&sysfs);
    lower(&sysfs, &hint);
    assert_int_equal(stat(sysfs.timer, &file), -1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_timer(&sysfs, texts[i]);
        lower(&sysfs, &hint);
        assert_int_equal(stat(sysfs.timer, &file), 0);
        assert_int_equal(file.st_size, strlen(texts[i]));
        assert_string_equal(hint.text, "");
    }
    close_sysfs(&sysfs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_timer_is_lowered),
        cmocka_unit_test(a_timer_that_may_not_be_set_gives_a_hint),
        cmocka_unit_test(a_short_timer_and_other_adapters_are_left_alone),
    };
    return cmocka_run_group_tests_name("latency_timer", tests, NULL, NULL);
}
