/* Any bytes as a configuration: taken or refused with one line; what is taken comes back from its own text, and makes a
 * station, decoders and calibrations. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_config: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct config c, again;
    struct config_error why = {""};
    if (config_parse((const char *)bytes, n, "fuzz", &c, &why) < 0) {
        must(strncmp(why.text, "fuzz:", 5) == 0 && !strchr(why.text, '\n'), "the error is not one line");
        return 0;
    }
    must(config_parse(c.text, strlen(c.text), "text", &again, &why) == 0, why.text);
    must(strcmp(c.text, again.text) == 0, "the text changed");
    static struct plate_station_config station; /* large */
    static struct recording recording;
    config_station(&c, &station);
    config_recording(&c, &recording);
    for (unsigned i = 0; i < c.plates_count; i++) {
        struct plate_calibration calibration;
        struct plate_decoder_config dc;
        struct plate_decoder decoder;
        config_calibration(&c.plates[i], &calibration);
        must(plate_calibration_check(&calibration) == 0, "a calibration that makes no sense was taken");
        config_decoder(&c.plates[i], &dc);
        must(plate_decoder_init(&decoder, &dc) == 0, "decoder options that make no sense were taken");
    }
    config_done(&c);
    config_done(&again);
    return 0;
}
