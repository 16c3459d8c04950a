/* plate/wire.h, the header a device includes, against the decoder that reads it. */
#include "decode_run.h"

#include "plate/wire.h"

static struct run run;

static void start(unsigned cells)
{
    run.frames = run.hellos = 0;
    assert_int_equal(plate_decoder_init(&run.d, &(struct plate_decoder_config){.protocol = "native", .cells = cells}), 0);
}

static void crc_is_zlibs(void **s)
{
    (void)s;
    assert_int_equal(plate_wire_crc32((const uint8_t *)"123456789", 9), 0xCBF43926u); /* the check value of CRC-32/ISO-HDLC */
    assert_int_equal(plate_wire_crc32(NULL, 0), 0);
}

/* The packet that docs/devices/native.md spells out. */
static void the_documented_packet(void **s)
{
    (void)s;
    static const uint8_t want[] = {0x04, 0x02, 0x02, 0x01, 0x02, 0x07, 0x01, 0x01, 0x03, 0xe8, 0x03, 0x01, 0x02,
                                   0x64, 0x01, 0x01, 0x09, 0xff, 0xff, 0xff, 0xff, 0xd1, 0x38, 0x65, 0xfe, 0x00};
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    size_t n = plate_wire_data(packet, 7, 1000, (int32_t[]){100, -1}, 1, 2);
    assert_int_equal(n, sizeof want);
    assert_memory_equal(packet, want, sizeof want);
}

/* Zeros are what COBS is for: every mix of zero and non-zero counts, every shape, comes back. */
static void every_shape_comes_back(void **s)
{
    (void)s;
    for (unsigned cells = 1; cells <= PLATE_WIRE_MAX_CELLS; cells++)
        for (unsigned samples = 1; samples <= PLATE_WIRE_MAX_SAMPLES(cells); samples++) {
            int32_t counts[PLATE_WIRE_BODY_MAX / 4];
            uint8_t packet[PLATE_WIRE_PACKET_MAX + 1];
            for (unsigned i = 0; i < cells * samples; i++)
                counts[i] = (int32_t)((uint32_t)random_u64() & (uint32_t)(0xff0000ffffull >> 8 * random_below(5)));
            uint32_t seq = (uint32_t)random_u64(), us = (uint32_t)random_u64();
            packet[PLATE_WIRE_PACKET_MAX] = 0xa5;
            uint16_t n = plate_wire_data(packet, seq, us, counts, (uint8_t)samples, (uint8_t)cells);
            assert_true(n > 0 && n <= PLATE_WIRE_PACKET_MAX);
            assert_int_equal(packet[PLATE_WIRE_PACKET_MAX], 0xa5);
            assert_ptr_equal(memchr(packet, 0, n), packet + n - 1); /* the only zero is the end */
            start(cells);
            run_push(&run, packet, n);
            assert_int_equal(run.frames, samples);
            assert_int_equal(run.frame[0].ticks, us);
            for (unsigned i = 0; i < cells * samples; i++) {
                assert_int_equal(run.frame[i / cells].seq, (uint64_t)seq + i / cells);
                assert_int_equal(run.frame[i / cells].counts[i % cells], counts[i]);
            }
            run_account(&run);
            assert_int_equal(run.d.stats.discarded_bytes, 0);
        }
}

static void hello_comes_back(void **s)
{
    (void)s;
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    start(4);
    uint16_t n = plate_wire_hello(packet, 4, 1000500, 125000000, "left plate", "SN-0042");
    run_push(&run, packet, n);
    const struct plate_hello *h = &run.hello[0];
    assert_int_equal(run.hellos, 1);
    assert_string_equal(h->name, "left plate");
    assert_string_equal(h->serial, "SN-0042");
    assert_int_equal(h->version, PLATE_WIRE_VERSION);
    assert_int_equal(h->cells, 4);
    assert_true(h->rate_Hz == 1000.5 && h->count_scale_N == 0.125);
    char longest[40];
    memset(longest, 'x', 39), longest[39] = 0;
    n = plate_wire_hello(packet, 4, 0, 0, longest, "");
    run_push(&run, packet, n);
    assert_int_equal(strlen(run.hello[1].name), 32); /* cut, and whole names of 32 fit */
    assert_string_equal(run.hello[1].serial, "");
    assert_true(run.hello[1].rate_Hz == 0 && run.hello[1].count_scale_N == 0);
}

static void out_of_range_is_refused(void **s)
{
    (void)s;
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    static const int32_t counts[PLATE_WIRE_BODY_MAX];
    assert_int_equal(plate_wire_data(packet, 0, 0, counts, 0, 1), 0);
    assert_int_equal(plate_wire_data(packet, 0, 0, counts, 1, 0), 0);
    assert_int_equal(plate_wire_data(packet, 0, 0, counts, 1, 9), 0);
    for (unsigned cells = 1; cells <= 8; cells++) {
        assert_int_equal(plate_wire_data(packet, 0, 0, counts, (uint8_t)(PLATE_WIRE_MAX_SAMPLES(cells) + 1), (uint8_t)cells),
                         0);
        assert_int_equal(plate_wire_data(packet, 0, 0, counts, 255, (uint8_t)cells), 0);
    }
    assert_int_equal(plate_wire_hello(packet, 0, 0, 0, "", ""), 0);
    assert_int_equal(plate_wire_hello(packet, 9, 0, 0, "", ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_zlibs),     cmocka_unit_test(the_documented_packet),   cmocka_unit_test(every_shape_comes_back),
        cmocka_unit_test(hello_comes_back), cmocka_unit_test(out_of_range_is_refused),
    };
    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
