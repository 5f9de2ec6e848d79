/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http/http_internal.h"

enum { EVENTS_MAX = 64, IDLE_CONNECTIONS_MAX = 16, WAKE_INDEX = UINT32_MAX };

static void complete(dv_transfer *transfer, dv_err *err);

int64_t dv_transport_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Lists ---- */

void dv_transfer_append(dv_transfer_list *list, dv_transfer *transfer)
{
    transfer->prev = list->tail;
    transfer->next = NULL;
    if (list->tail)
        list->tail->next = transfer;
    else
        list->head = transfer;
    list->tail = transfer;
    list->n++;
}

void dv_transfer_unlink(dv_transfer_list *list, dv_transfer *transfer)
{
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        list->head = transfer->next;
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    else
        list->tail = transfer->prev;
    transfer->prev = transfer->next = NULL;
    list->n--;
}

static dv_transfer *take_first(dv_transfer_list *list)
{
    dv_transfer *first = list->head;

    if (first)
        dv_transfer_unlink(list, first);
    return first;
}

/* ---- From other threads ---- */

void dv_transport_wake(dv_http *http)
{
    static const uint64_t one = 1;

    /* A full counter is readable already. */
    if (write(http->wake_fd, &one, sizeof(one)) < 0)
        DV_ASSERT(errno == EAGAIN);
}

void dv_transport_submit(dv_transfer *transfer)
{
    dv_http *http = transfer->lane->http;
    bool first;

    {
        DV_LOCK_SCOPE(&http->mu);
        first = http->inbox.n == 0;
        dv_transfer_append(&http->inbox, transfer);
    }
    if (first)
        dv_transport_wake(http);
}

void dv_transport_cancel_locked(dv_http_job *job)
{
    dv_http *http = job->http;

    if (job->cancel_queued)
        return;
    job->cancel_queued = true;
    job->next_cancel = http->cancels;
    http->cancels = job;
}

/* ---- Handles ---- */

static CURL *take_handle(dv_http_lane *lane)
{
    CURL *easy = lane->pool_n ? lane->pool[--lane->pool_n] : curl_easy_init();

    DV_ASSERT(easy);
    return easy;
}

static void give_handle_back(dv_http_lane *lane, CURL *easy, bool stream)
{
    /* A stream's has a buffer of another size, which a reset does not change. */
    if (!stream && lane->pool_n < DV_HTTP_POOL_MAX) {
        curl_easy_reset(easy);
        lane->pool[lane->pool_n++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

static void detach(dv_transfer *transfer)
{
    CURL *easy = transfer->easy;

    if (!easy)
        return;
    if (!transfer->sends)
        transfer->lane->unsent--;
    curl_multi_remove_handle(transfer->lane->multi, easy);
    transfer->easy = NULL;
    give_handle_back(transfer->lane, easy, transfer->sink != NULL);
}

/* ---- A transfer's way ---- */

static void look_no_later_than(dv_http *http, int64_t at_ms)
{
    http->check_ms = DV_MIN(http->check_ms, at_ms);
}

/* When it has been silent for too long; INT64_MAX: never. */
static int64_t idle_at(const dv_transfer *transfer)
{
    if (transfer->state != DV_T_RUNNING)
        return INT64_MAX;
    /* libcurl bounds the connecting, but not the wait for another's connection to be free. */
    return transfer->active_ms +
           (transfer->sends ? transfer->idle_ms : DV_MAX(transfer->idle_ms, DV_HTTP_FREE_MS));
}

static void count(dv_http_lane *lane)
{
    lane->queued = lane->queue.n;
    lane->in_flight = lane->running.n;
}

void dv_transport_enqueue(dv_transfer *transfer)
{
    dv_http_lane *lane = transfer->lane;

    if (!transfer->refusal && lane->queue.n >= lane->queue_max)
        transfer->refusal = dv_err_new(DV_TRANSIENT, "QueueFull",
                                       "%zu requests are waiting for their turn", lane->queue.n);
    if (transfer->refusal) {
        /* Not at once: its end may enqueue the next one, and so on down the stack. */
        transfer->state = DV_T_REFUSED;
        dv_transfer_append(&lane->refused, transfer);
        return;
    }
    if (transfer->deadline_ms)
        look_no_later_than(lane->http, transfer->deadline_ms);
    transfer->state = DV_T_QUEUED;
    dv_transfer_append(&lane->queue, transfer);
}

void dv_transport_sent(dv_transfer *transfer)
{
    dv_http_lane *lane = transfer->lane;

    if (transfer->sends++ == 0)
        lane->unsent--;
    transfer->active_ms = lane->http->now_ms;
    look_no_later_than(lane->http, transfer->active_ms + transfer->idle_ms);
}

static void launch(dv_transfer *transfer)
{
    dv_http_lane *lane = transfer->lane;
    CURL *easy = take_handle(lane);
    CURLcode code = dv_transfer_setup(transfer, easy);

    transfer->state = DV_T_RUNNING;
    transfer->sends = 0;
    lane->unsent++;
    dv_transfer_append(&lane->running, transfer);
    transfer->active_ms = lane->http->now_ms;
    look_no_later_than(lane->http, idle_at(transfer));
    if (code == CURLE_OK)
        DV_ASSERT(curl_multi_add_handle(lane->multi, easy) == CURLM_OK);
    else
        complete(transfer, dv_transfer_error(transfer, code));
}

/*
 * Beyond what one connection holds the requests go one by one, each as soon as the one before has
 * its place: libcurl would open a connection for each until the first of them is there.
 */
static bool may_launch(const dv_http_lane *lane)
{
    return lane->queue.n && lane->running.n < lane->in_flight_max &&
           (lane->running.n < lane->streams_max || lane->unsent == 0);
}

static void fill(dv_http_lane *lane)
{
    for (;;) {
        if (lane->refused.n)
            complete(lane->refused.head, DV_TAKE(lane->refused.head->refusal));
        else if (may_launch(lane))
            launch(take_first(&lane->queue));
        else
            break;
    }
    count(lane);
}

/* Takes err. The transfer may be gone afterwards. */
static void complete(dv_transfer *transfer, dv_err *err)
{
    dv_http_lane *lane = transfer->lane;

    if (transfer->state == DV_T_QUEUED)
        dv_transfer_unlink(&lane->queue, transfer);
    else if (transfer->state == DV_T_REFUSED)
        dv_transfer_unlink(&lane->refused, transfer);
    else if (transfer->state == DV_T_RUNNING)
        dv_transfer_unlink(&lane->running, transfer);
    detach(transfer);
    transfer->state = DV_T_FINISHED;
    lane->requests++;
    lane->errors += err != NULL;
    err = dv_transfer_wrap(transfer, err);
    transfer->finish(transfer, (dv_http_result){err, err ? NULL : DV_TAKE(transfer->response)});
}

static void ended(dv_transfer *transfer, CURLcode code)
{
    dv_http_lane *lane = transfer->lane;

    if (!lane->http->draining && dv_transfer_should_retry(transfer, code)) {
        lane->retries++;
        transfer->retries++;
        detach(transfer);
        dv_transfer_unlink(&lane->running, transfer);
        dv_transfer_rewind(transfer);
        launch(transfer);
        return;
    }
    complete(transfer, dv_transfer_error(transfer, code));
}

static void take_messages(dv_http_lane *lane)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(lane->multi, &left))) {
        dv_transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        ended(transfer, message->data.result);
    }
}

/* ---- Limits of time ---- */

static dv_err *idle_error(const dv_transfer *transfer)
{
    if (!transfer->sends)
        return dv_err_new(DV_TRANSIENT, "NoConnection", "no connection was free for %lld ms",
                          (long long)(dv_transport_now_ms() - transfer->active_ms));
    return dv_err_new(DV_TRANSIENT, "IdleTimeout", "no byte came for %lld ms",
                      (long long)transfer->idle_ms);
}

static void check_one(dv_http *http, dv_transfer *transfer)
{
    int64_t at = idle_at(transfer);

    if (transfer->deadline_ms && transfer->deadline_ms <= http->now_ms) {
        complete(transfer,
                 dv_err_new(DV_TRANSIENT, "DeadlineExceeded", "the time limit has passed"));
    } else if (at <= http->now_ms) {
        /* A connection that fell silent is not used again. */
        curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
        complete(transfer, idle_error(transfer));
    } else {
        look_no_later_than(http, transfer->deadline_ms ? DV_MIN(transfer->deadline_ms, at) : at);
    }
}

static void check_list(dv_http *http, dv_transfer_list *list)
{
    dv_transfer *next;

    for (dv_transfer *at = list->head; at; at = next) {
        next = at->next;
        check_one(http, at);
    }
}

static void check_time(dv_http *http, size_t lanes)
{
    if (http->now_ms < http->check_ms)
        return;
    http->check_ms = INT64_MAX;
    for (size_t i = 0; i < lanes; i++) {
        check_list(http, &http->lanes[i]->running);
        check_list(http, &http->lanes[i]->queue);
    }
}

/* ---- The thread ---- */

static void cancel_job(dv_http_job *job)
{
    dv_http *http = job->http;

    job->next = job->n; /* nothing more is queued */
    for (size_t i = 0; i < job->n; i++)
        if (job->transfers[i]->state != DV_T_FINISHED)
            complete(job->transfers[i], dv_err_dup(job->why));
    DV_LOCK_SCOPE(&http->mu);
    job->cancel_queued = false;
    pthread_cond_signal(&job->changed);
}

/* Takes over what other threads handed in; the number of lanes. */
static size_t take_inbox(dv_http *http)
{
    dv_transfer_list inbox;
    dv_http_job *cancels;
    size_t lanes;

    {
        DV_LOCK_SCOPE(&http->mu);
        inbox = http->inbox;
        http->inbox = (dv_transfer_list){0};
        cancels = DV_TAKE(http->cancels);
        lanes = http->lanes_n;
        http->draining = http->stopping;
    }
    for (dv_transfer *transfer; (transfer = take_first(&inbox));)
        dv_transport_enqueue(transfer);
    while (cancels) {
        dv_http_job *job = cancels;
        cancels = job->next_cancel;
        cancel_job(job);
    }
    return lanes;
}

/* Ends all there is; false when there was nothing. */
static bool drain(dv_http *http, size_t lanes)
{
    bool found = false;

    for (size_t i = 0; i < lanes; i++) {
        dv_transfer_list *lists[] = {&http->lanes[i]->queue, &http->lanes[i]->refused,
                                     &http->lanes[i]->running};
        for (size_t k = 0; k < DV_LEN(lists); k++)
            while (lists[k]->n) {
                found = true;
                complete(lists[k]->head, dv_err_new(DV_CANCELED, "Canceled", "shutting down"));
            }
    }
    return found;
}

static int wait_ms(const dv_http *http, size_t lanes)
{
    int64_t at = http->check_ms;
    int64_t now = dv_transport_now_ms();

    for (size_t i = 0; i < lanes; i++)
        if (http->lanes[i]->timer_ms >= 0)
            at = DV_MIN(at, http->lanes[i]->timer_ms);
    if (at == INT64_MAX)
        return -1;
    return (int)DV_MIN(DV_MAX(at - now, (int64_t)0), (int64_t)INT32_MAX);
}

static void handle_event(dv_http *http, const struct epoll_event *event)
{
    uint32_t index = (uint32_t)(event->data.u64 >> 32);
    curl_socket_t fd = (curl_socket_t)(event->data.u64 & UINT32_MAX);
    int mask = 0, running;

    if (index == WAKE_INDEX) {
        uint64_t count_;
        DV_ASSERT(read(http->wake_fd, &count_, sizeof(count_)) > 0 || errno == EAGAIN);
        return;
    }
    if (event->events & (EPOLLIN | EPOLLHUP))
        mask |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (event->events & EPOLLERR)
        mask |= CURL_CSELECT_ERR;
    curl_multi_socket_action(http->lanes[index]->multi, fd, mask, &running);
}

static void run_lane(dv_http_lane *lane)
{
    int running;

    fill(lane);
    if (lane->timer_ms >= 0 && lane->timer_ms <= lane->http->now_ms) {
        lane->timer_ms = -1;
        curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    take_messages(lane);
    fill(lane);
}

static void *run(void *arg)
{
    dv_http *http = arg;
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        http->now_ms = dv_transport_now_ms();
        size_t lanes = take_inbox(http);
        bool found = http->draining && drain(http, lanes);
        for (size_t i = 0; i < lanes; i++)
            run_lane(http->lanes[i]);
        check_time(http, lanes);
        if (http->draining && !found) {
            DV_LOCK_SCOPE(&http->mu);
            if (http->inbox.n == 0 && !http->cancels)
                return NULL;
            continue;
        }
        int n = epoll_wait(http->epoll_fd, events, EVENTS_MAX, found ? 0 : wait_ms(http, lanes));
        DV_ASSERT(n >= 0 || errno == EINTR);
        http->now_ms = dv_transport_now_ms();
        for (int i = 0; i < n; i++)
            handle_event(http, &events[i]);
    }
}

/* ---- Lanes ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    static char watched;
    dv_http_lane *lane = arg;
    struct epoll_event event = {.data.u64 = (uint64_t)lane->index << 32 | (uint32_t)fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        /* Fails when libcurl has closed the socket already, which removed it as well. */
        (void)epoll_ctl(lane->http->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    if (epoll_ctl(lane->http->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0)
        DV_ASSERT(epoll_ctl(lane->http->epoll_fd, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd,
                            &event) == 0);
    curl_multi_assign(lane->multi, fd, &watched);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    dv_http_lane *lane = arg;

    (void)multi;
    lane->timer_ms = timeout_ms < 0 ? -1 : dv_transport_now_ms() + timeout_ms;
    return 0;
}

dv_http_lane *dv_http_lane_new(dv_http *http, const dv_http_lane_options *options)
{
    dv_http_lane *lane = DV_NEW(dv_http_lane);
    size_t connections = options->connections_max ? options->connections_max : 4;
    size_t streams = options->streams_max ? options->streams_max : 90;

    lane->http = http;
    lane->name = options->name;
    lane->streams_max = streams;
    lane->in_flight_max = options->in_flight_max ? options->in_flight_max : 64;
    lane->queue_max = options->queue_max ? options->queue_max : 4096;
    lane->timer_ms = -1;
    lane->multi = curl_multi_init();
    DV_ASSERT(lane->multi);
    curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)connections);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)streams);
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS,
                      (long)DV_MAX(connections, (size_t)IDLE_CONNECTIONS_MAX));
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);

    DV_LOCK_SCOPE(&http->mu);
    DV_ASSERT(http->lanes_n < DV_HTTP_LANES_MAX);
    lane->index = http->lanes_n;
    http->lanes[http->lanes_n++] = lane;
    return lane;
}

static void free_lane(dv_http_lane *lane)
{
    for (size_t i = 0; i < lane->pool_n; i++)
        curl_easy_cleanup(lane->pool[i]);
    curl_multi_cleanup(lane->multi);
    free(lane);
}

dv_http_lane_stats dv_http_lane_get_stats(const dv_http_lane *lane)
{
    return (dv_http_lane_stats){
        .requests = lane->requests,
        .errors = lane->errors,
        .connections_opened = lane->connections,
        .retries = lane->retries,
        .in_flight = lane->in_flight,
        .queued = lane->queued,
    };
}

/* ---- Life ---- */

void dv_http_setup(void)
{
    DV_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

dv_http *dv_http_new(void)
{
    dv_http *http = DV_NEW(dv_http);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)WAKE_INDEX << 32};

    pthread_mutex_init(&http->mu, NULL);
    http->check_ms = INT64_MAX;
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    DV_ASSERT(http->epoll_fd >= 0 && http->wake_fd >= 0);
    DV_ASSERT(epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, http->wake_fd, &event) == 0);
    http->thread = dv_thread_start("http-transport", DV_STACK_BYTES, run, http);
    return http;
}

void dv_http_free(dv_http *http)
{
    if (!http)
        return;
    {
        DV_LOCK_SCOPE(&http->mu);
        http->stopping = true;
    }
    dv_transport_wake(http);
    pthread_join(http->thread, NULL);
    for (size_t i = 0; i < http->lanes_n; i++)
        free_lane(http->lanes[i]);
    close(http->epoll_fd);
    close(http->wake_fd);
    pthread_mutex_destroy(&http->mu);
    free(http);
}
