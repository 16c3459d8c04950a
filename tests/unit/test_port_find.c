/* Ports are found in a /sys and a /dev that the test builds. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "port_find.h"

struct machine {
    char folder[64], sys[128], dev[128];
    struct port_roots roots;
};

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static int build(void **state)
{
    struct machine *m = calloc(1, sizeof *m);
    strcpy(m->folder, "/tmp/plate_ports_XXXXXX");
    assert_non_null(mkdtemp(m->folder));
    snprintf(m->sys, sizeof m->sys, "%s/sys", m->folder);
    snprintf(m->dev, sizeof m->dev, "%s/dev", m->folder);
    m->roots = (struct port_roots){m->sys, m->dev};
    run("mkdir -p %s/class/tty %s/devices %s/serial/by-id %s/serial/by-path", m->sys, m->sys, m->dev, m->dev);
    *state = m;
    return 0;
}

static int clear(void **state)
{
    struct machine *m = *state;
    run("rm -rf %s", m->folder);
    free(m);
    return 0;
}

/* Plugs a USB board into `socket`; it becomes `name`. */
static void plug(const struct machine *m, const char *socket, const char *name, const char *vendor, const char *serial)
{
    run("d=%s/devices/usb1/%s; mkdir -p $d/%s:1.0/%s/tty/%s; cd $d; echo %s >idVendor; echo 6015 >idProduct; echo Maker "
        ">manufacturer; "
        "echo Board >product; [ -z '%s' ] || echo '%s' >serial; ln -s ../../../%s %s:1.0/%s/tty/%s/device; touch %s/%s; "
        "ln -sfn ../../devices/usb1/%s/%s:1.0/%s/tty/%s %s/class/tty/%s; "
        "ln -sf ../../%s %s/serial/by-id/usb-Maker_Board%s-if00-port0; ln -sf ../../%s %s/serial/by-path/pci-usb-%s",
        m->sys, socket, socket, name, name, vendor, serial, serial, name, socket, name, name, m->dev, name, socket, socket,
        name, name, m->sys, name, name, m->dev, *serial ? "_S" : "", name, m->dev, socket);
}

static void unplug(const struct machine *m, const char *socket, const char *name)
{
    run("rm -rf %s/devices/usb1/%s %s/class/tty/%s %s/%s; find %s/serial -xtype l -delete", m->sys, socket, m->sys, name,
        m->dev, name, m->dev);
}

static void finds(const struct machine *m, const char *name, const char *path)
{
    char found[64] = "", whole[256];
    struct port_error error = {""};
    int r = port_find_usb(&m->roots, name, found, sizeof found, &error);
    if (r) print_error("%s\n", error.text);
    assert_int_equal(r, 0);
    snprintf(whole, sizeof whole, "%s/%s", m->dev, path);
    assert_string_equal(found, whole);
}

static void does_not_find(const struct machine *m, const char *name, int error, const char *says)
{
    char found[64] = "-";
    struct port_error why = {""};
    assert_int_equal(port_find_usb(&m->roots, name, found, sizeof found, &why), error);
    assert_string_equal(found, "-");
    assert_non_null(strstr(why.text, says));
}

static void a_board_is_the_same_under_another_name(void **state)
{
    const struct machine *m = *state;
    plug(m, "1-1", "ttyUSB0", "0403", "A1");
    plug(m, "1-2", "ttyUSB1", "0403", "B2");
    finds(m, "usb:0403:6015:B2", "ttyUSB1");
    unplug(m, "1-2", "ttyUSB1");
    does_not_find(m, "usb:0403:6015:B2", -ENOENT, "platectl ports");
    finds(m, "usb:0403:6015", "ttyUSB0"); /* the only one now */
    plug(m, "1-3", "ttyACM7", "0403", "B2");
    finds(m, "usb:0403:6015:B2", "ttyACM7");
    does_not_find(m, "usb:0403:6015", -ENOTUNIQ, "serial number");
    does_not_find(m, "usb:0403:6016:B2", -ENOENT, "plugged in");
    does_not_find(m, "usb:0403:6015:b2", -ENOENT, "plugged in"); /* a serial number is a text */
    plug(m, "1-4", "ttyUSB4", "ABCD", "C3");
    finds(m, "usb:abcd:6015", "ttyUSB4"); /* an id is a number */
}

static void lists_what_is_a_port(void **state)
{
    const struct machine *m = *state;
    struct port_found *ports;
    size_t n;
    char name[384], whole[256];
    run("d=%s/devices; mkdir -p $d/virtual/tty/tty1 $d/pnp/tty/ttyS0 $d/plat/tty/ttyS1; ln -s ../.. $d/pnp/tty/ttyS0/device; "
        "ln -s ../.. $d/plat/tty/ttyS1/device; echo 4 >$d/pnp/tty/ttyS0/type; echo 0 >$d/plat/tty/ttyS1/type; cd %s/class/tty; "
        "ln -s ../../devices/virtual/tty/tty1 tty1; ln -s ../../devices/pnp/tty/ttyS0 ttyS0; ln -s "
        "../../devices/plat/tty/ttyS1 ttyS1; "
        "touch %s/ttyS0 %s/ttyS1 %s/tty1",
        m->sys, m->sys, m->dev, m->dev, m->dev);
    plug(m, "1-1", "ttyUSB10", "0403", "A1");
    plug(m, "1-2", "ttyUSB9", "1a86", "");
    plug(m, "1-3", "ttyUSB11", "1a86", "");
    assert_int_equal(port_find_all(&m->roots, &ports, &n), 0);
    assert_int_equal(n, 4); /* no console, no port of an unknown type */
    const char *const order[] = {"ttyS0", "ttyUSB9", "ttyUSB10", "ttyUSB11"};
    for (size_t i = 0; i < n; i++) assert_string_equal(strrchr(ports[i].path, '/') + 1, order[i]);
    assert_string_equal(ports[0].vendor, "");
    assert_string_equal(ports[2].what, "Maker Board");
    port_find_name(ports, n, 2, name, sizeof name);
    assert_string_equal(name, "usb:0403:6015:A1");
    port_find_name(ports, n, 1, name, sizeof name); /* two alike, without a serial number: by the socket */
    snprintf(whole, sizeof whole, "%s/serial/by-path/pci-usb-1-2", m->dev);
    assert_string_equal(name, whole);
    port_find_name(ports, n, 0, name, sizeof name);
    assert_string_equal(name, ports[0].path);
    free(ports);
}

static void nothing_is_no_error(void **state)
{
    const struct machine *m = *state;
    struct port_found *ports = (struct port_found *)1;
    size_t n = 1;
    assert_int_equal(port_find_all(&m->roots, &ports, &n), 0);
    assert_null(ports);
    assert_int_equal(n, 0);
    const struct port_roots nowhere = {"/nowhere", "/nowhere"};
    assert_int_equal(port_find_all(&nowhere, &ports, &n), -ENOENT);
}

static void names_are_checked(void **state)
{
    (void)state;
    const char *const good[] = {"usb:0403:6015", "usb:AbCd:00ff:S:1 #2"}, *const bad[] = {"usb:",           "usb:0403",
                                                                                          "usb:0403:601",   "usb:0403:6015:",
                                                                                          "usb:0403:60155", "usb:04g3:6015",
                                                                                          "usb:403:6015:A"};
    for (unsigned i = 0; i < 2; i++) assert_true(port_usb_valid(good[i]));
    for (unsigned i = 0; i < 7; i++) assert_false(port_usb_valid(bad[i]));
    does_not_find(&(struct machine){.roots = {"/sys", "/dev"}}, "usb:1", -EINVAL, "usb:VENDOR");
    assert_false(port_is_usb("/dev/usb:0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_board_is_the_same_under_another_name, build, clear),
        cmocka_unit_test_setup_teardown(lists_what_is_a_port, build, clear),
        cmocka_unit_test_setup_teardown(nothing_is_no_error, build, clear),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
