/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include "http/http_internal.h"

/* ---- Answers ---- */

void dv_http_drop_headers(dv_http_response *response)
{
    for (size_t i = 0; i < response->headers.n; i++) {
        free(response->headers.at[i].name);
        free(response->headers.at[i].value);
    }
    dv_vec_done(&response->headers);
}

void dv_http_response_free(dv_http_response *response)
{
    if (!response)
        return;
    dv_http_drop_headers(response);
    dv_buf_done(&response->body);
    free(response);
}

const char *dv_http_header(const dv_http_response *response, const char *lower_case_name)
{
    for (size_t i = 0; i < response->headers.n; i++)
        if (strcmp(response->headers.at[i].name, lower_case_name) == 0)
            return response->headers.at[i].value;
    return NULL;
}

int64_t dv_http_retry_after_parse(const char *value, const dv_clock *clock)
{
    const int64_t max_ms = (int64_t)24 * 3600 * 1000; /* a day: longer is a broken server */
    uint64_t seconds;

    if (!value)
        return 0;
    dv_auto(dv_err) not_a_number = dv_str_u64(dv_str_trim(dv_str_of(value)), &seconds);
    if (!not_a_number)
        return (int64_t)DV_MIN(seconds, (uint64_t)max_ms / 1000) * 1000;
    time_t at = curl_getdate(value, NULL);
    if (at < 0)
        return 0;
    int64_t wait_ms = (int64_t)at * 1000 - clock->unix_us(clock) / 1000;
    return DV_MAX((int64_t)0, DV_MIN(wait_ms, max_ms));
}

int64_t dv_http_retry_after_ms(const dv_http_response *response, const dv_clock *clock)
{
    return dv_http_retry_after_parse(dv_http_header(response, "retry-after"), clock);
}

/* ---- Waiting for several ---- */

static void job_init(dv_http_job *job, dv_http *http, size_t n)
{
    *job = (dv_http_job){.http = http, .n = n, .left = n};
    job->transfers = dv_calloc(n, sizeof(dv_transfer *));
    dv_cond_init(&job->changed);
}

static void job_done(dv_http_job *job)
{
    for (size_t i = 0; i < job->n; i++)
        dv_transfer_free(job->transfers[i]);
    free(job->transfers);
    dv_err_free(job->why);
    pthread_cond_destroy(&job->changed);
}

/* Transport thread. Once the last one is counted, the job may be gone. */
static void job_count_down(dv_http_job *job)
{
    DV_LOCK_SCOPE(&job->http->mu);
    if (--job->left == 0)
        pthread_cond_signal(&job->changed);
}

typedef struct {
    dv_http_job job; /* first */
    dv_http_result *results;
} batch;

static void batch_finish(dv_transfer *transfer, dv_http_result result)
{
    batch *all = (batch *)transfer->job;

    all->results[transfer->job_i] = result;
    if (all->job.next < all->job.n)
        dv_transport_enqueue(all->job.transfers[all->job.next++]);
    job_count_down(&all->job);
}

/* Takes why. Waits until the transport thread has ended what was left and let go of the job. */
static void job_cancel(dv_http_job *job, dv_err *why)
{
    {
        DV_LOCK_SCOPE(&job->http->mu);
        job->why = why;
        if (job->left)
            dv_transport_cancel_locked(job);
    }
    dv_transport_wake(job->http);
    DV_LOCK_SCOPE(&job->http->mu);
    while (job->left || job->cancel_queued)
        dv_cond_wait_ms(&job->changed, &job->http->mu, -1);
}

/* Waits until the transport thread has let go; on a cancel or deadline it is told to hurry. */
static void job_wait(dv_ctx *ctx, dv_http_job *job)
{
    for (;;) {
        int64_t left_ms = DV_MAX(dv_ctx_left_ms(ctx), (int64_t)1);
        {
            DV_LOCK_SCOPE(&job->http->mu);
            if (job->left)
                dv_cond_wait_ms(&job->changed, &job->http->mu,
                                DV_MIN(left_ms, (int64_t)DV_HTTP_SLICE_MS));
            if (job->left == 0)
                return;
        }
        dv_err *why = dv_ctx_check(ctx);
        if (why) {
            job_cancel(job, why);
            return;
        }
    }
}

void dv_http_batch(dv_ctx *ctx, dv_http_lane *lane, const dv_http_request *requests, size_t n,
                   size_t in_flight, dv_http_result *ret_results)
{
    batch all = {.results = ret_results};
    dv_err *early = dv_ctx_check(ctx);

    for (size_t i = 0; early && i < n; i++)
        ret_results[i] = (dv_http_result){.err = dv_err_dup(early)};
    if (early || n == 0) {
        dv_err_free(early);
        return;
    }
    job_init(&all.job, lane->http, n);
    for (size_t i = 0; i < n; i++) {
        dv_transfer *transfer = dv_transfer_new(lane, &requests[i], /* copy_body= */ false);

        transfer->finish = batch_finish;
        transfer->job = &all.job;
        transfer->job_i = i;
        all.job.transfers[i] = transfer;
    }
    size_t first = DV_MIN(n, DV_MAX(in_flight, (size_t)1));
    all.job.next = first; /* before the thread may look */
    for (size_t i = 0; i < first; i++)
        dv_transport_submit(all.job.transfers[i]);
    job_wait(ctx, &all.job);
    job_done(&all.job);
}

dv_err *dv_http_do(dv_ctx *ctx, dv_http_lane *lane, const dv_http_request *request,
                   dv_http_response **ret_response)
{
    dv_http_result result = {0};

    dv_http_batch(ctx, lane, request, 1, 1, &result);
    if (!result.err)
        *ret_response = result.response;
    return result.err;
}

/* ---- Without waiting ---- */

static void start_finish(dv_transfer *transfer, dv_http_result result)
{
    void (*done)(void *, dv_http_result) = transfer->done;
    void *arg = transfer->done_arg;

    dv_transfer_free(transfer);
    done(arg, result);
}

void dv_http_start(dv_http_lane *lane, const dv_http_request *request, int64_t timeout_ms,
                   void (*done)(void *arg, dv_http_result result), void *arg)
{
    dv_transfer *transfer = dv_transfer_new(lane, request, /* copy_body= */ true);

    transfer->finish = start_finish;
    transfer->done = done;
    transfer->done_arg = arg;
    if (timeout_ms)
        transfer->deadline_ms = dv_transport_now_ms() + timeout_ms;
    dv_transport_submit(transfer);
}

/* ---- Streams ---- */

struct dv_http_stream {
    dv_http_job job; /* first; of one transfer */
    dv_http_sink sink;
    void *arg;
};

static void stream_finish(dv_transfer *transfer, dv_http_result result)
{
    dv_http_stream *stream = (dv_http_stream *)transfer->job;

    dv_http_response_free(result.response);
    stream->sink.end(stream->arg, result.err);
    job_count_down(&stream->job);
}

dv_http_stream *dv_http_stream_open(dv_http_lane *lane, const dv_http_request *request,
                                    const dv_http_sink *sink, void *arg)
{
    dv_http_stream *stream = DV_NEW(dv_http_stream);
    dv_transfer *transfer = dv_transfer_new(lane, request, /* copy_body= */ true);

    job_init(&stream->job, lane->http, 1);
    stream->sink = *sink;
    stream->arg = arg;
    stream->job.transfers[0] = transfer;
    stream->job.next = 1;
    transfer->finish = stream_finish;
    transfer->job = &stream->job;
    transfer->sink = &stream->sink;
    transfer->sink_arg = arg;
    dv_transport_submit(transfer);
    return stream;
}

void dv_http_stream_close(dv_http_stream *stream)
{
    if (!stream)
        return;
    job_cancel(&stream->job, dv_err_new(DV_CANCELED, "Canceled", "the stream was closed"));
    job_done(&stream->job);
    free(stream);
}
