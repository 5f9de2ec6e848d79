/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read is written and read as the same, one document or a stream of them. Half of the
 * inputs are also JSON, whose documents YAML must carry.
 */
#include "yaml/yaml.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc DV_UNUSED, char ***argv DV_UNUSED)
{
    dv_json_setup();
    return 0;
}

static const dv_yaml_limits limits = {.bytes_max = 1024 * 1024, .nodes_max = 20000};

static void check_round_trip(const json_t *doc)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *again = NULL;

    dv_yaml_write(doc, &text);
    dv_auto(dv_err) err = dv_yaml_read(dv_buf_str(&text), /* limits= */ NULL, &again);
    DV_ASSERT(!err && dv_json_equal(doc, again));
}

/* Whole reals become integers on the way, so the first text is compared with the second. */
static void check_json(dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf twice = DV_BUF_INIT(DV_BODY_MAX);
    const dv_yaml_limits deep = {.depth_max = DV_JSON_DEPTH_MAX};
    json_auto_t *doc = NULL, *again = NULL;
    dv_auto(dv_err) refused = dv_json_read(bytes, &doc);

    if (refused)
        return;
    dv_yaml_write(doc, &text);
    dv_auto(dv_err) err = dv_yaml_read(dv_buf_str(&text), &deep, &again);
    DV_ASSERT(!err);
    dv_yaml_write(again, &twice);
    DV_ASSERT(dv_str_eq(dv_buf_str(&text), dv_buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const dv_str bytes = {(const char *)data, size};
    json_auto_t *doc = NULL, *docs = NULL;
    dv_auto(dv_err) refused = dv_yaml_read(bytes, &limits, &doc);
    dv_auto(dv_err) refused_all = dv_yaml_read_all(bytes, &limits, &docs);

    DV_ASSERT(!refused == !!doc && !refused_all == !!docs);
    DV_ASSERT(refused || !refused_all); /* one document is a stream of one */
    if (doc)
        check_round_trip(doc);
    for (size_t i = 0; i < json_array_size(docs); i++)
        check_round_trip(json_array_get(docs, i));
    dv_yaml_line_of(bytes, "/a/0");
    check_json(bytes);
    return 0;
}
