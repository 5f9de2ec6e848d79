/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over the socket pair. Numbers are in the machine's own byte order: both ends are one
 * machine and one binary.
 *
 *     hello     magic
 *     request   head │ length of each blob │ operation │ params │ blobs
 *     answer    head │ reason │ message │ result
 *
 * Every length is held against its limit before a byte is allocated for it.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

#define DV_FRAME_MAGIC 0x64767362u
#define DV_FRAME_OP_MAX 64
#define DV_FRAME_REASON_MAX 64
#define DV_FRAME_MESSAGE_MAX 4096

typedef struct {
    uint32_t magic;
    uint32_t n_blobs;
    uint64_t op_bytes;
    uint64_t params_bytes;
} dv_request_head;

typedef struct {
    uint32_t magic;
    uint32_t kind; /* a dv_err_kind; 0: the operation succeeded */
    uint64_t reason_bytes;
    uint64_t message_bytes;
    uint64_t result_bytes;
} dv_answer_head;

/* A request, as views into its body. */
typedef struct {
    dv_str op;
    dv_str params;
    dv_str *blobs; /* owned; n of them */
    size_t n_blobs;
} dv_request;
void dv_request_done(dv_request *request);

/* False: not a head, or beyond a limit. */
bool dv_request_head_valid(const dv_request_head *head);
/* Bytes behind head and lengths; false: beyond a limit. lengths are head->n_blobs many. */
bool dv_request_body_bytes(const dv_request_head *head, const uint64_t *lengths, size_t *ret_bytes);
/* body has the bytes of dv_request_body_bytes(). ret_request borrows it. */
void dv_request_cut(const dv_request_head *head, const uint64_t *lengths, const char *body,
                    dv_request *ret_request);
/* Appends all up to the blobs, which are sent from where they are. */
void dv_request_add(dv_buf *out, const char *op, dv_str params, const dv_str *blobs,
                    size_t n_blobs);

bool dv_answer_head_valid(const dv_answer_head *head);
size_t dv_answer_body_bytes(const dv_answer_head *head);
/* Appends all up to the result, of which a failure (err) has none. Texts too long are cut. */
void dv_answer_add(dv_buf *out, const dv_err *err, size_t result_bytes);
/* What head and body say happened; views into body. */
typedef struct {
    dv_err_kind kind; /* 0: success */
    dv_str reason, message, result;
} dv_answer;
void dv_answer_cut(const dv_answer_head *head, const char *body, dv_answer *ret_answer);
