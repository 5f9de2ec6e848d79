/* SPDX-License-Identifier: Apache-2.0 */
/* The side in the cage: no threads, no I/O but the channel. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/frame_internal.h"
#include "sandbox/sandbox.h"
#include "sandbox/worker_internal.h"

typedef struct {
    const dv_sandbox_op *ops;
    size_t n_ops;
    int idle_ms;
} worker;

/* No atexit handlers: they belong to the program that we are not. */
DV_NORETURN static void leave(int status)
{
    _exit(status);
}

/* A closed channel means that nobody wants the answer. */
static void receive(void *to, size_t n)
{
    char *at = to;

    while (n) {
        ssize_t got = read(DV_SANDBOX_FD, at, n);
        if (got == 0 || (got < 0 && errno != EINTR))
            leave(0);
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

static void send_all(dv_str bytes)
{
    while (bytes.n) {
        ssize_t put = send(DV_SANDBOX_FD, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            leave(0);
        bytes = dv_str_skip(bytes, put > 0 ? (size_t)put : 0);
    }
}

static const dv_sandbox_op *find_op(const worker *w, dv_str name)
{
    for (size_t i = 0; i < w->n_ops; i++)
        if (dv_str_is(name, w->ops[i].name))
            return &w->ops[i];
    return NULL;
}

static dv_err *run(const worker *w, const dv_request *request, json_t **ret_result)
{
    const dv_sandbox_op *op = find_op(w, request->op);
    json_auto_t *params = NULL;

    if (!op)
        return dv_err_new(DV_BUG, "UnknownOperation", "no operation %.*s", DV_FMT(request->op));
    if (request->params.n)
        DV_TRY(dv_json_read(request->params, &params), "parameters of %s", op->name);
    return op->run(params, request->blobs, request->n_blobs, ret_result);
}

static void answer(const worker *w, const dv_request *request)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_SANDBOX_ANSWER_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf head = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *result = NULL;
    dv_auto(dv_err) err = run(w, request, &result);

    if (!err && result)
        dv_json_write(result, &text);
    if (!err)
        err = dv_err_wrap(dv_buf_check(&text), "the result");
    dv_answer_add(&head, err, text.n);
    send_all(dv_buf_str(&head));
    if (!err)
        send_all(dv_buf_str(&text));
}

static void serve_one(const worker *w)
{
    DV_CLEANUP(dv_request_done) dv_request request = {0};
    DV_CLEANUP(dv_freep) uint64_t *lengths = NULL;
    dv_auto_str body = NULL;
    dv_request_head head;
    size_t bytes;

    receive(&head, sizeof(head));
    DV_ASSERT(dv_request_head_valid(&head));
    lengths = dv_calloc(head.n_blobs, sizeof(*lengths));
    receive(lengths, head.n_blobs * sizeof(*lengths));
    DV_ASSERT(dv_request_body_bytes(&head, lengths, &bytes));
    body = dv_alloc(bytes);
    receive(body, bytes);
    dv_request_cut(&head, lengths, body, &request);
    answer(w, &request);
}

/* Leaves when no request comes in time. */
static void await_request(int wait_ms)
{
    struct pollfd channel = {.fd = DV_SANDBOX_FD, .events = POLLIN};
    int ready;

    do
        ready = poll(&channel, 1, wait_ms);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        leave(0);
}

DV_NORETURN static void serve(const worker *w)
{
    const uint32_t hello = DV_FRAME_MAGIC;

    send_all((dv_str){(const char *)&hello, sizeof(hello)});
    await_request((int)DV_SANDBOX_IDLE_MS);
    for (;;) {
        serve_one(w);
        malloc_trim(0);
        await_request(w->idle_ms);
    }
}

void dv_sandbox_main(int argc, char **argv, const dv_sandbox_op *ops, size_t n_ops)
{
    int64_t idle_ms = DV_SANDBOX_IDLE_MS;

    if (argc < 2 || strcmp(argv[1], DV_SANDBOX_ARG) != 0)
        return;
    if (argc > 2) {
        dv_auto(dv_err) err = dv_str_i64(dv_str_of(argv[2]), &idle_ms);
        DV_ASSERT(!err);
    }
    const worker w = {.ops = ops, .n_ops = n_ops, .idle_ms = (int)idle_ms};
    dv_json_setup(); /* its seed comes from a file */
    if (!dv_cage_enter())
        leave(DV_SANDBOX_EXIT_UNCAGED);
    serve(&w);
}
