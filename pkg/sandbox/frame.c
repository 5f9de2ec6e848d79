/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/frame_internal.h"

#include "sandbox/sandbox.h"

/* ---- Requests ---- */

void dv_request_done(dv_request *request)
{
    free(request->blobs);
    *request = (dv_request){0};
}

bool dv_request_head_valid(const dv_request_head *head)
{
    return head->magic == DV_FRAME_MAGIC && head->n_blobs <= DV_SANDBOX_BLOBS_MAX &&
           head->op_bytes <= DV_FRAME_OP_MAX && head->params_bytes <= DV_SANDBOX_REQUEST_MAX;
}

bool dv_request_body_bytes(const dv_request_head *head, const uint64_t *lengths, size_t *ret_bytes)
{
    uint64_t total = head->params_bytes;

    for (size_t i = 0; i < head->n_blobs; i++) {
        if (lengths[i] > DV_SANDBOX_REQUEST_MAX - total)
            return false;
        total += lengths[i];
    }
    *ret_bytes = (size_t)(total + head->op_bytes);
    return true;
}

void dv_request_cut(const dv_request_head *head, const uint64_t *lengths, const char *body,
                    dv_request *ret_request)
{
    dv_request request = {
        .op = {body, (size_t)head->op_bytes},
        .params = {body + head->op_bytes, (size_t)head->params_bytes},
        .blobs = dv_calloc(head->n_blobs, sizeof(dv_str)),
        .n_blobs = head->n_blobs,
    };
    const char *at = body + head->op_bytes + head->params_bytes;

    for (size_t i = 0; i < request.n_blobs; i++) {
        request.blobs[i] = (dv_str){at, (size_t)lengths[i]};
        at += lengths[i];
    }
    *ret_request = request;
}

void dv_request_add(dv_buf *out, const char *op, dv_str params, const dv_str *blobs, size_t n_blobs)
{
    const dv_request_head head = {
        .magic = DV_FRAME_MAGIC,
        .n_blobs = (uint32_t)n_blobs,
        .op_bytes = strlen(op),
        .params_bytes = params.n,
    };

    dv_buf_add(out, &head, sizeof(head));
    for (size_t i = 0; i < n_blobs; i++) {
        const uint64_t length = blobs[i].n;
        dv_buf_add(out, &length, sizeof(length));
    }
    dv_buf_adds(out, op);
    dv_buf_add_str(out, params);
}

/* ---- Answers ---- */

bool dv_answer_head_valid(const dv_answer_head *head)
{
    bool success = head->kind == 0;

    return head->magic == DV_FRAME_MAGIC && head->kind <= DV_BUG &&
           head->reason_bytes <= DV_FRAME_REASON_MAX &&
           head->message_bytes <= DV_FRAME_MESSAGE_MAX &&
           head->result_bytes <= DV_SANDBOX_ANSWER_MAX &&
           (success ? !head->reason_bytes && !head->message_bytes
                    : head->reason_bytes && !head->result_bytes);
}

size_t dv_answer_body_bytes(const dv_answer_head *head)
{
    return (size_t)(head->reason_bytes + head->message_bytes + head->result_bytes);
}

void dv_answer_add(dv_buf *out, const dv_err *err, size_t result_bytes)
{
    dv_str reason = dv_str_head(dv_str_of(err ? dv_err_reason(err) : ""), DV_FRAME_REASON_MAX);
    dv_str message = dv_str_head(dv_str_of(err ? dv_err_str(err) : ""), DV_FRAME_MESSAGE_MAX);
    const dv_answer_head head = {
        .magic = DV_FRAME_MAGIC,
        .kind = err ? (uint32_t)dv_err_kind_of(err) : 0,
        .reason_bytes = reason.n,
        .message_bytes = message.n,
        .result_bytes = err ? 0 : result_bytes,
    };

    dv_buf_add(out, &head, sizeof(head));
    dv_buf_add_str(out, reason);
    dv_buf_add_str(out, message);
}

void dv_answer_cut(const dv_answer_head *head, const char *body, dv_answer *ret_answer)
{
    *ret_answer = (dv_answer){
        .kind = (dv_err_kind)head->kind,
        .reason = {body, (size_t)head->reason_bytes},
        .message = {body + head->reason_bytes, (size_t)head->message_bytes},
        .result = {body + head->reason_bytes + head->message_bytes, (size_t)head->result_bytes},
    };
}
