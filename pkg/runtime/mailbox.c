/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mailbox_internal.h"

struct dv_inbox {
    dv_mailbox *box;
    size_t refs; /* the informer, and a list under way */
    dv_inbox *next;
    bool queued, stopping;
    dv_informer *informer; /* NULL: closed */
    dv_mail mail;
};

dv_mailbox *dv_mailbox_new(void)
{
    dv_mailbox *box = DV_NEW(dv_mailbox);

    pthread_mutex_init(&box->mu, NULL);
    dv_cond_init(&box->wake);
    dv_cond_init(&box->state);
    box->refs = 1;
    return box;
}

static bool drop_ref(dv_mailbox *box)
{
    DV_LOCK_SCOPE(&box->mu);

    return --box->refs == 0;
}

void dv_mailbox_unref(dv_mailbox *box)
{
    if (!drop_ref(box))
        return;
    pthread_cond_destroy(&box->wake);
    pthread_cond_destroy(&box->state);
    pthread_mutex_destroy(&box->mu);
    free(box);
}

void dv_mailbox_tell(dv_mailbox *box)
{
    DV_LOCK_SCOPE(&box->mu);

    pthread_cond_broadcast(&box->state);
}

static void queue(dv_inbox *inbox)
{
    dv_mailbox *box = inbox->box;

    if (inbox->queued || !inbox->informer)
        return;
    inbox->queued = true;
    inbox->next = NULL;
    if (box->last)
        box->last->next = inbox;
    else
        box->first = inbox;
    box->last = inbox;
    pthread_cond_signal(&box->wake);
}

static void unqueue(dv_inbox *inbox)
{
    dv_mailbox *box = inbox->box;
    dv_inbox *before = NULL;

    if (!inbox->queued)
        return;
    for (dv_inbox *at = box->first; at != inbox; at = at->next)
        before = at;
    if (before)
        before->next = inbox->next;
    else
        box->first = inbox->next;
    if (box->last == inbox)
        box->last = before;
    inbox->queued = false;
}

dv_informer *dv_mailbox_next(dv_mailbox *box, int64_t wait_ms)
{
    DV_LOCK_SCOPE(&box->mu);
    dv_inbox *inbox;

    if (!box->first && !box->stop && wait_ms > 0)
        dv_cond_wait_ms(&box->wake, &box->mu, wait_ms);
    inbox = box->first;
    if (!inbox || box->stop)
        return NULL;
    unqueue(inbox);
    return inbox->informer;
}

dv_inbox *dv_inbox_new(dv_mailbox *box, dv_informer *informer)
{
    dv_inbox *inbox = DV_NEW(dv_inbox);
    DV_LOCK_SCOPE(&box->mu);

    *inbox = (dv_inbox){.box = box, .refs = 1, .informer = informer};
    dv_buf_init(&inbox->mail.bytes, DV_WATCH_QUEUE_MAX);
    box->refs++;
    return inbox;
}

/* With the lock held; *ret_free is what the caller frees without it. */
static dv_mail empty(dv_inbox *inbox)
{
    dv_mail mail = inbox->mail;

    inbox->box->bytes -= mail.bytes.n;
    inbox->mail = (dv_mail){.status = mail.status, .retry_after_ms = mail.retry_after_ms};
    dv_buf_init(&inbox->mail.bytes, DV_WATCH_QUEUE_MAX);
    return mail;
}

static void raw_done(dv_kube_raw *raw)
{
    dv_err_free(raw->err);
    dv_buf_done(&raw->body);
}

static void mail_done(dv_mail *mail)
{
    raw_done(&mail->list);
    dv_err_free(mail->end_err);
    dv_buf_done(&mail->bytes);
}

static bool inbox_drop_ref(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    return --inbox->refs == 0;
}

static void inbox_unref(dv_inbox *inbox)
{
    if (!inbox_drop_ref(inbox))
        return;
    mail_done(&inbox->mail);
    dv_mailbox_unref(inbox->box);
    free(inbox);
}

static dv_mail close_inbox(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    unqueue(inbox);
    inbox->informer = NULL;
    return empty(inbox);
}

void dv_inbox_close(dv_inbox *inbox)
{
    dv_mail mail = close_inbox(inbox);

    mail_done(&mail);
    inbox_unref(inbox);
}

void dv_inbox_queue(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    queue(inbox);
}

void dv_inbox_stop(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    inbox->stopping = true;
    queue(inbox);
}

bool dv_inbox_is_stopping(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    return inbox->stopping;
}

void *dv_inbox_expect_list(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    inbox->refs++;
    return inbox;
}

static bool keep_list(dv_inbox *inbox, const dv_kube_raw *raw)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    if (!inbox->informer)
        return false;
    inbox->mail.listed = true;
    inbox->mail.list = *raw;
    queue(inbox);
    return true;
}

void dv_inbox_listed(void *arg, dv_kube_raw raw)
{
    if (!keep_list(arg, &raw))
        raw_done(&raw);
    inbox_unref(arg);
}

/* ---- A watch; on the transport's thread ---- */

static void sink_header(void *arg, const char *name, const char *value)
{
    dv_inbox *inbox = arg;
    int64_t retry_after_ms;

    if (strcmp(name, "retry-after") != 0)
        return;
    retry_after_ms = dv_http_retry_after_parse(value, dv_clock_real());
    DV_LOCK_SCOPE(&inbox->box->mu);
    inbox->mail.retry_after_ms = retry_after_ms;
}

static bool sink_begin(void *arg, int status)
{
    dv_inbox *inbox = arg;
    DV_LOCK_SCOPE(&inbox->box->mu);

    inbox->mail.status = status;
    queue(inbox);
    return true;
}

static bool sink_data(void *arg, dv_str bytes)
{
    dv_inbox *inbox = arg;
    DV_LOCK_SCOPE(&inbox->box->mu);
    dv_mail *mail = &inbox->mail;

    dv_buf_add_str(&mail->bytes, bytes);
    inbox->box->bytes += mail->bytes.overflow ? 0 : bytes.n;
    mail->overflow |= mail->bytes.overflow || inbox->box->bytes > DV_CACHE_QUEUE_MAX;
    queue(inbox);
    return !mail->overflow;
}

static void sink_end(void *arg, dv_err *err)
{
    dv_inbox *inbox = arg;
    DV_LOCK_SCOPE(&inbox->box->mu);

    inbox->mail.ended = true;
    inbox->mail.end_err = err;
    queue(inbox);
}

const dv_http_sink dv_inbox_sink = {
    .header = sink_header, .begin = sink_begin, .data = sink_data, .end = sink_end};

static dv_mail forget_watch(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);
    dv_mail mail = empty(inbox);

    /* A list is never under way with a watch, but what came stays. */
    inbox->mail = (dv_mail){.listed = mail.listed, .list = mail.list, .bytes = inbox->mail.bytes};
    mail.list = (dv_kube_raw){0};
    return mail;
}

void dv_inbox_forget_watch(dv_inbox *inbox)
{
    dv_mail mail = forget_watch(inbox);

    mail_done(&mail);
}

dv_mail dv_inbox_take(dv_inbox *inbox)
{
    DV_LOCK_SCOPE(&inbox->box->mu);

    return empty(inbox);
}
