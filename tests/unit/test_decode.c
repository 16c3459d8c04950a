/* What holds of decoders before any byte: options that make no sense, the table of protocols; and that the template is one. */
#include "decode_run.h"

#include "../../daemon/core/decode/protocol.h"

extern const struct plate_protocol plate_protocol_template;

static void init_refuses_nonsense(void **s)
{
    (void)s;
    static const struct plate_csv_options bad[] = {
        {.first_column = 1},
        {.separator = '|', .first_column = 1},
        {.separator = ',', .decimal_comma = true, .first_column = 1},
        {.separator = ','},
        {.separator = ',', .first_column = 5000},
        {.separator = ',', .first_column = 1, .decimals = 7},
        {.separator = ',', .first_column = 2, .time_column = 1},
        {.separator = ',', .first_column = 2, .time_column = 1, .time_unit_s = -1},
        {.separator = ',', .first_column = 2, .time_column = 1, .time_unit_s = 1e-6, .time_bits = 64},
        {.separator = ',', .first_column = 2, .time_column = 3, .time_unit_s = 1e-6},
    };
    struct plate_decoder d, before;
    memset(&d, 0x5c, sizeof d);
    before = d;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "csv", .cells = 2, .csv = bad[i]}),
                         -EINVAL);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "native", .cells = 0}), -EINVAL);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "native", .cells = 9}), -EINVAL);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "nativ", .cells = 1}), -ENOENT);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.cells = 1}), -ENOENT);
    assert_memory_equal(&d, &before, sizeof d);
    assert_ptr_equal(plate_protocol_find("csv"), &plate_protocol_csv);
    for (const struct plate_protocol *const *p = plate_protocols; *p; p++)
        assert_ptr_equal(plate_protocol_find((*p)->name), *p);
}

static size_t template_stream(uint8_t *bytes, unsigned packets)
{
    for (unsigned k = 0; k < packets; k++, bytes += 6) {
        int16_t a = (int16_t)(count_of(k, 0) >> 16), b = 0x5a5a; /* the second cell looks like the mark */
        uint8_t packet[6] = {0x5a, (uint8_t)a, (uint8_t)(a >> 8), (uint8_t)b, (uint8_t)(b >> 8)};
        for (int i = 0; i < 5; i++) packet[5] = (uint8_t)(packet[5] + packet[i]);
        memcpy(bytes, packet, 6);
    }
    return 6 * (size_t)packets;
}

static void template_is_a_protocol(void **s)
{
    (void)s;
    static const struct plate_protocol *const table[] = {&plate_protocol_template, NULL};
    uint8_t bytes[1200];
    struct plate_decoder fresh;
    struct plate_decoder_config cfg = {.cells = 2};
    assert_null(plate_protocol_find(table[0]->name));
    assert_int_equal(plate_decoder_init_protocol(&fresh, table[0], &cfg), 0);
    run.d = fresh;
    run.frames = 0;
    size_t n = template_stream(bytes, 100);
    run_push(&run, bytes, n);
    assert_int_equal(run.frames, 100);
    for (unsigned k = 0; k < 100; k++) assert_int_equal(run.frame[k].counts[0], (int16_t)(count_of(k, 0) >> 16));
    run_account(&run);
    for (size_t lost = 0; lost < n - 24; lost++) { /* one byte: the rhythm is back two packets later */
        uint8_t rest[1200];
        memcpy(rest, bytes, lost);
        memcpy(rest + lost, bytes + lost + 1, n - lost - 1);
        run.d = fresh;
        run.frames = 0;
        run_push(&run, rest, n - 1);
        for (size_t k = lost / 6 + 2, tail = 100 - k; k < 100; k++)
            assert_int_equal(run.frame[run.frames - tail + k - lost / 6 - 2].counts[0],
                             (int16_t)(count_of((uint32_t)k, 0) >> 16));
    }
    for (int round = 0; round < 300; round++) {
        n = random_damage(bytes, template_stream(bytes, 100), sizeof bytes);
        assert_chunk_invariant(&fresh, bytes, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_refuses_nonsense),
        cmocka_unit_test(template_is_a_protocol),
    };
    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
