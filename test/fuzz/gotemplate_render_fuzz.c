/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates of any kind end in time and within their limits: they render or are refused with a
 * sentence, and a second run gives the same. The input is a template, a NUL, and data as JSON.
 */
#include "gotemplate/functions.h"
#include "gotemplate/json_text.h"
#include "json/json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc DV_UNUSED, char ***argv DV_UNUSED)
{
    dv_json_setup();
    return 0;
}

#define MEMORY ((size_t)8 * 1024 * 1024)
#define OUTPUT ((size_t)256 * 1024)
/* Below what making a key takes. */
#define STEPS ((uint64_t)100000)

static const char default_data[] =
    "{\"s\":\"hello\",\"n\":3,\"l\":[1,\"x\",null,true],\"m\":{\"a\":{\"b\":1}},\"nul\":null}";

/* What depends on chance or on time. */
static bool is_repeatable(dv_str text)
{
    static const char *const words[] = {"rand", "uuid",    "shuffle",  "now",    "ago",  "date",
                                        "gen",  "encrypt", "htpasswd", "bcrypt", "Round"};

    for (size_t i = 0; i < DV_LEN(words); i++)
        if (dv_str_contains(text, dv_str_of(words[i])))
            return false;
    return true;
}

static dv_err *run(const dv_gotemplate *set, dv_str data, dv_buf *out)
{
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    const dv_run_options options = {.missing_key = DV_MISSING_ZERO, .steps_max = STEPS};
    dv_val value = DV_NONE_VAL;

    if (!dv_json_decode(heap, data, &value, &fault))
        value = DV_NONE_VAL;
    dv_err *err = dv_gotemplate_run(set, DV_STR("t"), value, heap, &options, out);
    DV_ASSERT(dv_heap_used(heap) < 3 * MEMORY);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    dv_str input = {(const char *)bytes, size}, text;
    dv_str data = dv_str_cut(input, '\0', &text);
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), NULL);
    DV_CLEANUP(dv_buf_done)
    dv_buf first = DV_BUF_INIT(OUTPUT), second = DV_BUF_INIT(OUTPUT),
           helm = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_err) bad = dv_gotemplate_parse(set, DV_STR("t"), text);

    if (!data.n)
        data = dv_str_of(default_data);
    if (bad) {
        DV_ASSERT(!dv_gotemplate_has(set, DV_STR("t")));
        dv_helm_error_add(&helm, bad, (dv_str){NULL, 0});
        return 0;
    }
    dv_auto(dv_err) err = run(set, data, &first);
    dv_auto(dv_err) again = run(set, data, &second);
    if (err)
        dv_helm_error_add(&helm, err, (dv_str){NULL, 0});
    if (is_repeatable(text)) {
        DV_ASSERT(!err == !again);
        DV_ASSERT(dv_str_eq(dv_buf_str(&first), dv_buf_str(&second)));
    }
    return 0;
}
