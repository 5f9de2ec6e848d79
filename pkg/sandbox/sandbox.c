/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include <sys/wait.h>

#include "base/sync.h"
#include "sandbox/pool_internal.h"

enum {
    DEFAULT_WORKERS = 2,
    REASONS_MAX = 64,     /* different ones that operations gave */
    CANCEL_POLL_MS = 100, /* how soon one who waits for a worker sees a cancel */
};

typedef struct {
    dv_worker worker; /* pid 0: not started */
    bool busy;
} slot;

struct dv_sandbox {
    pthread_mutex_t mu;   /* all below */
    pthread_cond_t freed; /* a slot is no longer busy */
    slot *slots;
    size_t n_slots;
    dv_strings reasons;
    dv_sandbox_limits limits;
    const dv_log *log;
};

dv_sandbox *dv_sandbox_new(size_t workers, const dv_log *log)
{
    dv_sandbox *sandbox = DV_NEW(dv_sandbox);

    pthread_mutex_init(&sandbox->mu, NULL);
    dv_cond_init(&sandbox->freed);
    sandbox->n_slots = workers ? workers : DEFAULT_WORKERS;
    sandbox->slots = dv_calloc(sandbox->n_slots, sizeof(slot));
    sandbox->limits = (dv_sandbox_limits){.idle_ms = DV_SANDBOX_IDLE_MS,
                                          .wall_ms = DV_SANDBOX_WALL_MAX_MS,
                                          .cpu_s = DV_SANDBOX_CPU_MAX_S};
    sandbox->log = log;
    return sandbox;
}

void dv_sandbox_free(dv_sandbox *sandbox)
{
    if (!sandbox)
        return;
    for (size_t i = 0; i < sandbox->n_slots; i++) {
        DV_ASSERT(!sandbox->slots[i].busy);
        if (sandbox->slots[i].worker.pid)
            dv_worker_bury(&sandbox->slots[i].worker);
    }
    free(sandbox->slots);
    dv_strings_done(&sandbox->reasons);
    pthread_cond_destroy(&sandbox->freed);
    pthread_mutex_destroy(&sandbox->mu);
    free(sandbox);
}

/* ---- Slots ---- */

/* With the lock held. */
static void reap_idle(dv_sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->n_slots; i++) {
        slot *at = &sandbox->slots[i];
        if (!at->busy && at->worker.pid)
            dv_worker_reap(&at->worker);
    }
}

/* One with a worker before one without; NULL: all are busy. With the lock held. */
static slot *find_free(dv_sandbox *sandbox)
{
    slot *empty = NULL;

    for (size_t i = 0; i < sandbox->n_slots; i++) {
        slot *at = &sandbox->slots[i];
        if (!at->busy && at->worker.pid)
            return at;
        if (!at->busy && !empty)
            empty = at;
    }
    return empty;
}

/* A slot that is ours until put_back(). */
static dv_err *take_slot(const dv_ctx *ctx, dv_sandbox *sandbox, slot **ret_slot)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    slot *found;

    reap_idle(sandbox);
    while (!(found = find_free(sandbox))) {
        dv_cond_wait_ms(&sandbox->freed, &sandbox->mu, CANCEL_POLL_MS);
        DV_CHECK(dv_ctx_check(ctx));
    }
    found->busy = true;
    *ret_slot = found;
    return NULL;
}

static void put_back(dv_sandbox *sandbox, slot *at)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    at->busy = false;
    pthread_cond_signal(&sandbox->freed);
}

/* Others only read which workers there are; so does the lock. */
static void put_worker(dv_sandbox *sandbox, slot *at, dv_worker worker)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    at->worker = worker;
}

static dv_sandbox_limits limits_now(dv_sandbox *sandbox)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    return sandbox->limits;
}

static dv_err *start(const dv_ctx *ctx, dv_sandbox *sandbox, slot *at)
{
    dv_worker worker;

    DV_CHECK(dv_worker_start(ctx, limits_now(sandbox).idle_ms, &worker));
    put_worker(sandbox, at, worker);
    return NULL;
}

/* The wait status. */
static int bury(dv_sandbox *sandbox, slot *at)
{
    dv_worker worker = at->worker;

    put_worker(sandbox, at, (dv_worker){0});
    return dv_worker_bury(&worker);
}

/* ---- Calls ---- */

typedef struct {
    dv_ctx *ctx;
    const char *op;
    dv_buf text; /* the request up to the blobs */
    const dv_str *blobs;
    size_t n_blobs;
} call;

static void call_done(call *c)
{
    dv_buf_done(&c->text);
}

static dv_err *too_large(const char *op)
{
    return dv_err_new(DV_INVALID, "TooLarge", "%s: more than %d parts or %zu bytes", op,
                      DV_SANDBOX_BLOBS_MAX, DV_SANDBOX_REQUEST_MAX);
}

static dv_err *write_request(call *c, const json_t *params)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_SANDBOX_REQUEST_MAX);
    size_t left = DV_SANDBOX_REQUEST_MAX;

    if (params)
        dv_json_write(params, &json);
    if (json.overflow || c->n_blobs > DV_SANDBOX_BLOBS_MAX)
        return too_large(c->op);
    left -= json.n;
    for (size_t i = 0; i < c->n_blobs; i++) {
        if (c->blobs[i].n > left)
            return too_large(c->op);
        left -= c->blobs[i].n;
    }
    dv_request_add(&c->text, c->op, dv_buf_str(&json), c->blobs, c->n_blobs);
    return dv_buf_check(&c->text);
}

/* Static for the sandbox's life; what comes after the last place has no name of its own. */
static const char *keep_reason(dv_sandbox *sandbox, dv_str reason)
{
    DV_LOCK_SCOPE(&sandbox->mu);

    for (size_t i = 0; i < reason.n; i++)
        if (!(reason.p[i] >= 'A' && reason.p[i] <= 'Z') &&
            !(reason.p[i] >= 'a' && reason.p[i] <= 'z') &&
            !(reason.p[i] >= '0' && reason.p[i] <= '9'))
            return "ContentInvalid";
    for (size_t i = 0; i < sandbox->reasons.n; i++)
        if (dv_str_is(reason, sandbox->reasons.at[i]))
            return sandbox->reasons.at[i];
    if (sandbox->reasons.n >= REASONS_MAX)
        return "ContentInvalid";
    dv_strings_take(&sandbox->reasons, dv_str_dup(reason));
    return sandbox->reasons.at[sandbox->reasons.n - 1];
}

/* One line of text, whatever the worker made of it. */
static dv_err *error_from(dv_sandbox *sandbox, const dv_answer *answer)
{
    dv_auto_str message = dv_str_dup(answer->message);
    /* A shutdown is not the content's to declare. */
    dv_err_kind kind = answer->kind == DV_CANCELED ? DV_INVALID : answer->kind;

    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    if (!dv_utf8_valid(dv_str_of(message)))
        return dv_err_new(kind, keep_reason(sandbox, answer->reason), "its message is no text");
    return dv_err_new(kind, keep_reason(sandbox, answer->reason), "%s", message);
}

static dv_err *crashed(const call *c, const char *how)
{
    return dv_err_new(DV_INVALID, "ContentCrashedParser", "%s: the worker that read it %s", c->op,
                      how);
}

static dv_err *crashed_with(const call *c, int status)
{
    char how[96];
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (sig == SIGSYS)
        return crashed(c, "tried what is forbidden in its cage");
    if (sig == SIGXCPU)
        return crashed(c, "used up its time");
    if (sig == SIGABRT)
        return crashed(c, "ran out of memory or gave up");
    if (sig)
        snprintf(how, sizeof(how), "was ended by signal %d (%s)", sig, sigdescr_np(sig));
    else
        snprintf(how, sizeof(how), "left with status %d", WEXITSTATUS(status));
    return crashed(c, how);
}

static dv_err *take_answer(dv_sandbox *sandbox, const dv_answer *answer, bool *ret_nonsense,
                           json_t **ret_result)
{
    json_t *result = NULL;

    if (answer->kind)
        return error_from(sandbox, answer);
    dv_auto(dv_err) err = answer->result.n ? dv_json_read(answer->result, &result) : NULL;
    if (err)
        *ret_nonsense = true;
    else
        *ret_result = result ? result : json_null();
    return NULL;
}

/* One try on the slot's worker. ret_left: it had left for idleness before it read anything. */
static dv_err *try_call(const call *c, dv_sandbox *sandbox, slot *at, bool *ret_left,
                        json_t **ret_result)
{
    dv_auto_str body = NULL;
    dv_sandbox_limits limits = limits_now(sandbox);
    dv_answer answer;
    bool nonsense = false;

    dv_worker_rearm(&at->worker, limits.cpu_s);
    dv_talk talk = dv_worker_ask(c->ctx, &at->worker, limits.wall_ms, dv_buf_str(&c->text),
                                 c->blobs, c->n_blobs, &body, &answer);
    if (talk == DV_TALK_DONE) {
        dv_err *err = take_answer(sandbox, &answer, &nonsense, ret_result);
        if (!nonsense)
            return err;
    }
    int status = bury(sandbox, at);
    switch (talk) {
    case DV_TALK_GONE:
        *ret_left = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        return crashed_with(c, status);
    case DV_TALK_STOPPED:
        return dv_err_wrap(dv_ctx_check(c->ctx), "%s", c->op);
    case DV_TALK_TOO_LONG:
        return crashed(c, "used up its time");
    case DV_TALK_DONE:
    case DV_TALK_NONSENSE:
        break;
    }
    return crashed(c, "gave an answer that can't be read");
}

static dv_err *call_in_slot(const call *c, dv_sandbox *sandbox, slot *at, json_t **ret_result)
{
    bool used = at->worker.pid != 0, left = false;

    if (!used)
        DV_CHECK(start(c->ctx, sandbox, at));
    dv_err *err = try_call(c, sandbox, at, &left, ret_result);
    if (!used || !left)
        return err;
    dv_err_free(err);
    DV_CHECK(start(c->ctx, sandbox, at));
    return try_call(c, sandbox, at, &left, ret_result);
}

dv_err *dv_sandbox_call(dv_ctx *ctx, dv_sandbox *sandbox, const char *op, const json_t *params,
                        const dv_str *blobs, size_t n_blobs, json_t **ret_result)
{
    DV_CLEANUP(call_done) call c = {.ctx = ctx, .op = op, .blobs = blobs, .n_blobs = n_blobs};
    slot *at;

    DV_ASSERT(strlen(op) <= DV_FRAME_OP_MAX);
    dv_buf_init(&c.text, DV_SANDBOX_REQUEST_MAX + DV_LINE_MAX);
    DV_CHECK(write_request(&c, params));
    DV_TRY(take_slot(ctx, sandbox, &at), "%s", op);
    dv_err *err = call_in_slot(&c, sandbox, at, ret_result);
    put_back(sandbox, at);
    if (err)
        dv_debug(sandbox->log, "sandbox call failed", dv_s("operation", op), dv_e(err));
    return err;
}

/* ---- The rest ---- */

void dv_sandbox_tend(dv_sandbox *sandbox)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    reap_idle(sandbox);
}

size_t dv_sandbox_pids(dv_sandbox *sandbox, int *ret_pids, size_t n)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    size_t found = 0;

    reap_idle(sandbox);
    for (size_t i = 0; i < sandbox->n_slots; i++)
        if (sandbox->slots[i].worker.pid && found < n)
            ret_pids[found++] = sandbox->slots[i].worker.pid;
    return found;
}

void dv_sandbox_set_limits(dv_sandbox *sandbox, dv_sandbox_limits limits)
{
    DV_LOCK_SCOPE(&sandbox->mu);
    sandbox->limits = limits;
}
