/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/frame_internal.h"

#include "sandbox/sandbox.h"
#include "testlib.h"

/* ---- Requests ---- */

static const struct head_row {
    const char *name;
    dv_request_head head;
    bool valid;
} head_rows[] = {
    {"an empty request", {DV_FRAME_MAGIC, 0, 0, 0}, true},
    {"all there may be",
     {DV_FRAME_MAGIC, DV_SANDBOX_BLOBS_MAX, DV_FRAME_OP_MAX, DV_SANDBOX_REQUEST_MAX},
     true},
    {"another magic", {DV_FRAME_MAGIC + 1, 0, 0, 0}, false},
    {"too many blobs", {DV_FRAME_MAGIC, DV_SANDBOX_BLOBS_MAX + 1, 0, 0}, false},
    {"too long an operation", {DV_FRAME_MAGIC, 0, DV_FRAME_OP_MAX + 1, 0}, false},
    {"too long parameters", {DV_FRAME_MAGIC, 0, 0, DV_SANDBOX_REQUEST_MAX + 1}, false},
    {"endless parameters", {DV_FRAME_MAGIC, 0, 0, UINT64_MAX}, false},
};

static void head_is_valid_or_not(void **state)
{
    const struct head_row *row = *state;

    assert_int_equal(dv_request_head_valid(&row->head), row->valid);
}

static const struct body_row {
    const char *name;
    uint64_t params, lengths[3];
    bool fits;
} body_rows[] = {
    {"nothing", 0, {0, 0, 0}, true},
    {"as much as may be", 1, {DV_SANDBOX_REQUEST_MAX - 3, 1, 1}, true},
    {"one byte more", 1, {DV_SANDBOX_REQUEST_MAX - 3, 1, 2}, false},
    {"one endless blob", 1, {UINT64_MAX, 0, 0}, false},
    {"a sum that goes around", 8, {UINT64_MAX - 3, 4, 8}, false},
};

static void body_fits_or_not(void **state)
{
    const struct body_row *row = *state;
    const dv_request_head head = {DV_FRAME_MAGIC, DV_LEN(row->lengths), 2, row->params};
    size_t bytes = 0;

    assert_int_equal(dv_request_body_bytes(&head, row->lengths, &bytes), row->fits);
    if (row->fits)
        assert_int_equal(bytes,
                         2 + row->params + row->lengths[0] + row->lengths[1] + row->lengths[2]);
}

static void a_request_comes_apart_as_it_was(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_request_done) dv_request request = {0};
    const dv_str blobs[] = {DV_STR("one"), DV_STR(""), DV_STR("three")};
    dv_request_head head;
    uint64_t lengths[DV_LEN(blobs)];
    size_t bytes;

    dv_request_add(&text, "decode", DV_STR("{}"), blobs, DV_LEN(blobs));
    for (size_t i = 0; i < DV_LEN(blobs); i++)
        dv_buf_add_str(&text, blobs[i]);
    memcpy(&head, text.p, sizeof(head));
    memcpy(lengths, text.p + sizeof(head), sizeof(lengths));
    assert_true(dv_request_head_valid(&head));
    assert_true(dv_request_body_bytes(&head, lengths, &bytes));
    assert_int_equal(sizeof(head) + sizeof(lengths) + bytes, text.n);
    dv_request_cut(&head, lengths, text.p + sizeof(head) + sizeof(lengths), &request);
    assert_true(dv_str_is(request.op, "decode"));
    assert_true(dv_str_is(request.params, "{}"));
    assert_int_equal(request.n_blobs, DV_LEN(blobs));
    for (size_t i = 0; i < DV_LEN(blobs); i++)
        assert_true(dv_str_eq(request.blobs[i], blobs[i]));
}

/* ---- Answers ---- */

static const struct answer_row {
    const char *name;
    dv_answer_head head;
    bool valid;
} answer_rows[] = {
    {"a success", {DV_FRAME_MAGIC, 0, 0, 0, DV_SANDBOX_ANSWER_MAX}, true},
    {"a success without a result", {DV_FRAME_MAGIC, 0, 0, 0, 0}, true},
    {"a failure", {DV_FRAME_MAGIC, DV_INVALID, DV_FRAME_REASON_MAX, DV_FRAME_MESSAGE_MAX, 0}, true},
    {"another magic", {0, 0, 0, 0, 0}, false},
    {"a kind that is none", {DV_FRAME_MAGIC, DV_BUG + 1, 1, 1, 0}, false},
    {"a success with a reason", {DV_FRAME_MAGIC, 0, 1, 0, 0}, false},
    {"a success with a message", {DV_FRAME_MAGIC, 0, 0, 1, 0}, false},
    {"a failure without a reason", {DV_FRAME_MAGIC, DV_INVALID, 0, 1, 0}, false},
    {"a failure with a result", {DV_FRAME_MAGIC, DV_INVALID, 1, 1, 1}, false},
    {"too long a result", {DV_FRAME_MAGIC, 0, 0, 0, DV_SANDBOX_ANSWER_MAX + 1}, false},
    {"too long a reason", {DV_FRAME_MAGIC, DV_INVALID, DV_FRAME_REASON_MAX + 1, 0, 0}, false},
    {"too long a message", {DV_FRAME_MAGIC, DV_INVALID, 1, DV_FRAME_MESSAGE_MAX + 1, 0}, false},
};

static void answer_is_valid_or_not(void **state)
{
    const struct answer_row *row = *state;

    assert_int_equal(dv_answer_head_valid(&row->head), row->valid);
}

/* Writes an answer and takes it apart again; views into text. */
static dv_answer pass(dv_buf *text, const dv_err *err, dv_str result)
{
    dv_answer_head head;
    dv_answer answer;

    dv_answer_add(text, err, result.n);
    if (!err)
        dv_buf_add_str(text, result);
    memcpy(&head, text->p, sizeof(head));
    assert_true(dv_answer_head_valid(&head));
    assert_int_equal(sizeof(head) + dv_answer_body_bytes(&head), text->n);
    dv_answer_cut(&head, text->p + sizeof(head), &answer);
    return answer;
}

static void a_result_passes(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    dv_answer answer = pass(&text, NULL, DV_STR("[1]"));

    assert_int_equal(answer.kind, 0);
    assert_true(dv_str_is(answer.result, "[1]"));
}

static void an_error_passes(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto(dv_err) err = dv_err_new(DV_DENIED, "NoEntry", "not here");
    dv_answer answer = pass(&text, err, DV_STR(""));

    assert_int_equal(answer.kind, DV_DENIED);
    assert_true(dv_str_is(answer.reason, "NoEntry"));
    assert_true(dv_str_is(answer.message, "not here"));
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto(dv_err) err = dv_err_new(DV_INVALID, "TooLong", "%5000d", 1);

    assert_int_equal(pass(&text, err, DV_STR("")).message.n, DV_FRAME_MESSAGE_MAX);
}

int main(void)
{
    dv_suite suite = {.name = "sandbox/frame"};

    DV_TABLE(&suite, head_is_valid_or_not, head_rows);
    DV_TABLE(&suite, body_fits_or_not, body_rows);
    DV_TEST(&suite, a_request_comes_apart_as_it_was);
    DV_TABLE(&suite, answer_is_valid_or_not, answer_rows);
    DV_TEST(&suite, a_result_passes);
    DV_TEST(&suite, an_error_passes);
    DV_TEST(&suite, a_long_message_is_cut);
    return dv_suite_run(&suite);
}
