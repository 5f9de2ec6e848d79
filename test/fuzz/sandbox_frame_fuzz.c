/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of requests and answers: one that is accepted stays within its limits and within its
 * bytes, and written again gives the same bytes. The first byte chooses which.
 */
#include "sandbox/frame_internal.h"
#include "sandbox/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copies n bytes from the front; false: there are fewer. */
static bool take(dv_str *from, void *to, size_t n)
{
    if (from->n < n)
        return false;
    memcpy(to, from->p, n);
    *from = dv_str_skip(*from, n);
    return true;
}

static void check_request(dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_request_done) dv_request request = {0};
    static uint64_t lengths[DV_SANDBOX_BLOBS_MAX];
    const dv_str whole = bytes;
    dv_request_head head;
    size_t body;

    if (!take(&bytes, &head, sizeof(head)) || !dv_request_head_valid(&head))
        return;
    if (!take(&bytes, lengths, head.n_blobs * sizeof(lengths[0])))
        return;
    if (!dv_request_body_bytes(&head, lengths, &body))
        return;
    DV_ASSERT(body <= DV_SANDBOX_REQUEST_MAX + DV_FRAME_OP_MAX);
    if (body > bytes.n)
        return;
    dv_request_cut(&head, lengths, bytes.p, &request);
    dv_auto_str op = dv_str_dup(request.op);
    if (strlen(op) != request.op.n)
        return; /* a name of an operation is a text; no other is ever sent */
    dv_request_add(&again, op, request.params, request.blobs, request.n_blobs);
    for (size_t i = 0; i < request.n_blobs; i++)
        dv_buf_add_str(&again, request.blobs[i]);
    DV_ASSERT(dv_str_starts(whole, dv_buf_str(&again)));
    DV_ASSERT(again.n == whole.n - bytes.n + body);
}

static void check_answer(dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(DV_BODY_MAX);
    const dv_str whole = bytes;
    dv_answer_head head;
    dv_answer answer;

    if (!take(&bytes, &head, sizeof(head)) || !dv_answer_head_valid(&head))
        return;
    size_t body = dv_answer_body_bytes(&head);
    DV_ASSERT(body <= DV_SANDBOX_ANSWER_MAX + DV_FRAME_MESSAGE_MAX + DV_FRAME_REASON_MAX);
    if (body > bytes.n)
        return;
    dv_answer_cut(&head, bytes.p, &answer);
    dv_auto_str reason = dv_str_dup(answer.reason);
    dv_auto_str message = dv_str_dup(answer.message);
    if (strlen(reason) != answer.reason.n || strlen(message) != answer.message.n)
        return; /* a NUL ends the text for whoever writes it */
    dv_auto(dv_err) err = answer.kind ? dv_err_new(answer.kind, reason, "%s", message) : NULL;
    dv_answer_add(&again, err, answer.result.n);
    dv_buf_add_str(&again, answer.result);
    DV_ASSERT(dv_str_starts(whole, dv_buf_str(&again)));
    DV_ASSERT(again.n == sizeof(head) + body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const dv_str bytes = {(const char *)data + 1, size - 1};
    if (data[0] == 'q')
        check_request(bytes);
    else
        check_answer(bytes);
    return 0;
}
